"""Pulls messages from a durable consumer, no more at a time than may be handled side by side."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

_BATCH_COMPLETE, _EXPIRED = "", "408"


class Running:
    """The deliveries of one consumer that are under way, over however many connections."""

    def __init__(self, limit: int) -> None:
        self.replies: dict[asyncio.Task[Any], str] = {}
        self._limit = limit
        self._ended = asyncio.Event()

    def start(self, message: Msg, delivery: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(delivery)
        self.replies[task] = message.reply
        task.add_done_callback(self._end)

    async def room(self) -> int:
        """How many more may start; waits until it is at least one."""
        while (room := self._limit - len(self.replies)) < 1:
            self._ended.clear()
            await self._ended.wait()
        return room

    def _end(self, task: asyncio.Task[Any]) -> None:
        del self.replies[task]
        self._ended.set()


class Pull:
    """Keeps one request open at a durable consumer, for as many messages as there is room.

    Not `PullSubscription.fetch` of the client: that holds a message back until a whole batch is
    there. Nor FastStream's loop around it: that never notices that a consumer is gone. An answer
    may take `patience` seconds; a request is open for twice as long.
    """

    def __init__(
        self,
        client: Client,
        running: Running,
        deliver: Callable[[Msg], Coroutine[Any, Any, Any]],
        patience: float,
    ) -> None:
        self._client, self._running, self._deliver = client, running, deliver
        self._patience = patience
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._request, self._left = "", 0
        self._outcome: asyncio.Future[str] = asyncio.Future()
        self._is_over = False

    async def run(self, stream: str, durable: str) -> str:
        """Start deliveries until the consumer gives no more, and say why."""
        next_messages = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        try:
            self._subscription = await self._client.subscribe(
                f"{self._inbox}.*", cb=self._arrive, pending_bytes_limit=0
            )
            for number in count():
                self._left = await self._running.room()
                self._request, self._outcome = f"{self._inbox}.{number}", asyncio.Future()
                request = {"batch": self._left, "expires": int(2 * self._patience * 1_000_000_000)}
                payload = json.dumps(request).encode()
                await self._client.publish(next_messages, payload, reply=self._request)
                async with asyncio.timeout(3 * self._patience):
                    outcome = await self._outcome
                if outcome != _BATCH_COMPLETE and not outcome.startswith(_EXPIRED):
                    return outcome
        except (TimeoutError, Error):
            pass
        finally:
            await self.unsubscribe()
        return "no answer"

    async def unsubscribe(self) -> None:
        """Ask for nothing more, and give back at once what is on its way."""
        self._is_over = True
        if self._subscription is not None:
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self._subscription.drain()  # type: ignore[no-untyped-call]

    async def _arrive(self, message: Msg) -> None:
        # Only what is not a message comes on the subject of a request.
        if message.subject.startswith(self._inbox):
            headers = message.headers or {}
            if message.subject == self._request:
                reason = " ".join(str(headers.get("Description", "")).split())
                self._end(f"{headers.get('Status')} {reason}")
            return
        if self._is_over:
            await message.nak()
            return
        self._running.start(message, self._deliver(message))
        self._left -= 1
        if self._left == 0:
            self._end(_BATCH_COMPLETE)

    def _end(self, outcome: str) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)
