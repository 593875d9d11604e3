"""Adds entries to streams and trims these on the way."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.redis.errors import reaching_redis, told_as_unavailable
from app.building_blocks.brokers.redis.frames import adding, exchange
from app.building_blocks.brokers.redis.retention import Retention
from app.building_blocks.brokers.redis.wire import Fields, encode
from app.building_blocks.brokers.together import Outcomes, settled

AT_ONCE = 100
Answer = asyncio.Future[object]
Added = tuple[bytes, Fields, Answer]


class Writer:
    """What is added at the same moment goes in one round trip: one each takes longer.

    `timeout` bounds a round trip, in seconds.
    """

    def __init__(self, retention: Retention, timeout: float) -> None:
        self._retention, self._timeout = retention, timeout
        self._client: Redis | None = None
        self._gathered: list[Added] = []
        self._writing: asyncio.Task[None] | None = None

    @property
    def client(self) -> Redis:
        """Raises BrokerUnavailableError while there is none."""
        if self._client is None:
            raise BrokerUnavailableError("Redis is not connected: try again later")
        return self._client

    @property
    def is_open(self) -> bool:
        return self._client is not None

    def open(self, client: Redis, server_seconds: float) -> None:
        """Write over `client`, and trim by the clock of its server."""
        self._retention.set_clock(server_seconds)
        self._client = client

    def close(self) -> None:
        self._client = None

    async def add_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        """BrokerUnavailableError or MessageRefusedError for each, or None."""
        answers = [self._put(message) for message in messages]
        # Whatever the round trips before its own take.
        await settled(answers, self._timeout)
        return [_told(answer) for answer in answers]

    def _put(self, message: BrokerMessage) -> Answer:
        answer: Answer = asyncio.get_running_loop().create_future()
        try:
            fields = encode(message)
            self._gathered.append((message.topic.encode(), fields, answer))
        except MessageRefusedError as error:
            answer.set_exception(error)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return answer

    async def _write(self) -> None:
        while self._gathered:
            awaited = [one for one in self._gathered if not one[2].done()]
            some, self._gathered = awaited[:AT_ONCE], awaited[AT_ONCE:]
            if not some:
                return
            outcomes = await self._outcomes(some)
            if isinstance(outcomes[0], BrokerUnavailableError):
                # What waits behind these would only wait as long again.
                some, self._gathered = [*some, *self._gathered], []
                outcomes = outcomes[:1] * len(some)
            for (_, _, answer), outcome in zip(some, outcomes, strict=True):
                if answer.done():
                    continue
                if isinstance(outcome, Exception):
                    answer.set_exception(outcome)
                else:
                    answer.set_result(None)

    async def _outcomes(self, some: Sequence[Added]) -> list[object]:
        try:
            commands = [adding(topic, fields, self._retention) for topic, fields, _ in some]
            async with reaching_redis(self._timeout):
                return await exchange(self.client, commands)
        except Exception as error:
            return [error] * len(some)


def _told(answer: Answer) -> Exception | None:
    if answer.cancelled():
        return BrokerUnavailableError("Redis did not answer in time: try again later")
    try:
        with told_as_unavailable():
            answer.result()
    except ResponseError as error:
        return MessageRefusedError(f"Redis refuses this message: {error}")
    except Exception as error:
        return error
    return None
