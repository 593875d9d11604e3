"""Many requests at once, whose answers come to one subscription."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from nats.aio.client import Client
from nats.aio.msg import Msg

Request = tuple[str, bytes, dict[str, str]]
"""Subject, body and headers."""


class Answers:
    """The client's own request has two tasks and two timeouts for each, which take most of it."""

    def __init__(self, client: Client) -> None:
        self._client, self._inbox = client, client.new_inbox()
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[Msg]] = {}

    async def open(self) -> None:
        await self._client.subscribe(f"{self._inbox}.*", cb=self._take)

    @asynccontextmanager
    async def to(self, requests: Sequence[Request]) -> AsyncIterator[list[asyncio.Future[Msg]]]:
        """Send them. Nobody listens to an answer that comes after the block."""
        loop = asyncio.get_running_loop()
        waiting = {f"{self._inbox}.{next(self._numbers)}": loop.create_future() for _ in requests}
        self._waiting |= waiting
        try:
            for inbox, (subject, body, headers) in zip(waiting, requests, strict=True):
                await self._client.publish(subject, body, inbox, headers)
            yield list(waiting.values())
        finally:
            for inbox in waiting:
                self._waiting.pop(inbox, None)

    async def _take(self, message: Msg) -> None:
        answer = self._waiting.pop(message.subject, None)
        if answer is not None and not answer.done():
            answer.set_result(message)
