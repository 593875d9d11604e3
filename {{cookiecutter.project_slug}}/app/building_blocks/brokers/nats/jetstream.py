"""What this service asks of JetStream: its stream, its durable consumers, to store a message."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js.errors import APIError, BadRequestError, NotFoundError

from app.building_blocks.brokers.nats.answers import Answers, Request
from app.building_blocks.brokers.together import settled

SECOND = 1_000_000_000
OWN_STREAM = {
    "retention": "limits",
    "storage": "file",
    "max_age": 7 * 24 * 3600 * SECOND,
    "duplicate_window": 120 * SECOND,
}
ATTEMPTS = 5


class JetStream:
    """JetStream over one connection. Configurations stay the JSON that the server sent.

    So what an operator or a newer server has put into one is still there after a change.
    `stream` is this service's own; `timeout` bounds each request, in seconds. All methods
    raise nats.errors.Error and TimeoutError.
    """

    def __init__(self, client: Client, stream: str, timeout: float) -> None:
        self.client = client
        self.topic_added = asyncio.Event()
        self._stream, self._timeout = stream, timeout
        self._waiting = set[asyncio.Timeout]()
        self._answers = Answers(client)

    async def open(self) -> None:
        """The client is connected."""
        await self._answers.open()

    async def lost(self) -> None:
        """The connection is closed: end what waits for an answer."""
        now = asyncio.get_running_loop().time()
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(now)

    async def ask_all(self, requests: Sequence[Request], seconds: float) -> list[Msg | None]:
        """The answers to many requests that are under way at the same time, None for none."""
        async with self._answers.to(requests) as answers:
            with suppress(TimeoutError):
                async with self._within(seconds):
                    await settled(answers)
        return [None if answer.cancelled() else answer.result() for answer in answers]

    async def ask(self, what: str, question: object = None) -> dict[str, Any]:
        """The answer of `$JS.API.<what>`."""
        payload = b"" if question is None else json.dumps(question).encode()
        return await self.request(f"$JS.API.{what}", payload)

    async def stream_of(self, topic: str) -> str | None:
        """The stream that captures `topic`, whoever it belongs to."""
        return next(iter(await self._streams_of(topic)), None)

    async def declare(self, topics: Collection[str]) -> None:
        """See to it that each of `topics` is captured, by the own stream where no other does."""
        refusal: BadRequestError | None = None
        for _ in range(ATTEMPTS):
            streams = {topic: await self._streams_of(topic) for topic in topics}
            missing = [topic for topic in topics if not streams[topic]]
            # The server lets two streams have one subject if they ask at the same time.
            surplus = [topic for topic in topics if self._stream in streams[topic][1:]]
            if not missing and not surplus:
                return
            try:
                await self._capture(missing, surplus)
            except BadRequestError as error:
                refusal = error
            # There is no conditional update: a replica that did the same may have undone this.
            await asyncio.sleep(random.uniform(0.05, 0.15))
        raise refusal or Error(f"the stream {self._stream} does not keep its subjects")

    async def bind(
        self, stream: str, durable: str, topic: str, *, ordered: bool, ack_wait: float
    ) -> None:
        """Create the durable consumer, or change it where it differs."""
        wanted = {
            "name": durable,
            "durable_name": durable,
            "filter_subject": topic,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(ack_wait * SECOND),
            "max_deliver": -1,
            # With 1 the next message goes out when this one is settled, to whichever replica.
            "max_ack_pending": 1 if ordered else 1000,
        }
        found = await self._config(f"CONSUMER.INFO.{stream}.{durable}") or {}
        if not wanted.items() <= found.items():
            request = {"stream_name": stream, "config": found | wanted}
            await self.ask(f"CONSUMER.CREATE.{stream}.{durable}.{topic}", request)

    async def _streams_of(self, topic: str) -> list[str]:
        return sorted((await self.ask("STREAM.NAMES", {"subject": topic}))["streams"] or ())

    async def _capture(self, topics: list[str], surplus: list[str]) -> None:
        config = await self._config(f"STREAM.INFO.{self._stream}")
        if config is None:
            own = OWN_STREAM | {"name": self._stream, "subjects": topics}
            await self.ask(f"STREAM.CREATE.{self._stream}", own)
        else:
            kept = [subject for subject in config.get("subjects") or () if subject not in surplus]
            subjects = [*kept, *topics]
            await self.ask(f"STREAM.UPDATE.{self._stream}", config | {"subjects": subjects})
        self.topic_added.set()
        self.topic_added.clear()

    async def _config(self, info: str) -> dict[str, Any] | None:
        with suppress(NotFoundError):
            config: dict[str, Any] = (await self.ask(info))["config"]
            return config
        return None

    async def request(
        self, subject: str, body: bytes, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer on any subject; APIError when it is one."""
        async with self._within(self._timeout):
            message = await self.client.request(
                subject, body, timeout=self._timeout, headers=headers
            )
        try:
            answer = json.loads(message.data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Error(f"this is no answer of JetStream: {message.data[:100]!r}")
        if "error" in answer:
            raise APIError.from_error(answer["error"])
        return answer

    @asynccontextmanager
    async def _within(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(seconds) as timeout:
            self._waiting.add(timeout)
            try:
                yield
            finally:
                self._waiting.discard(timeout)
