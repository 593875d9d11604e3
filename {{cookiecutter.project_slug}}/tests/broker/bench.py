"""Adapters with a topic and a consumer of the test's own, and what arrives there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit
from uuid import uuid4

from app.broker import BROKERS
from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage, Receive

DEADLINE = 20.0
"""Seconds that anything may take to happen."""


class Bench:
    """Makes adapters of this service's broker and stops them when the test is over."""

    def __init__(self, url: str) -> None:
        name = uuid4().hex
        self.url = url
        self.service = f"test-{name}"
        self.topic, self.consumer = f"tests.{name}.v1", f"{self.service}.tests.keep"
        self.received: list[BrokerMessage] = []
        self._adapters: list[BrokerAdapter] = []

    async def keep(self, message: BrokerMessage) -> None:
        self.received.append(message)

    def publisher(self, url: str | None = None, **seconds: float) -> BrokerAdapter:
        """An adapter that declares the topic."""
        url = url or self.url
        adapter = BROKERS[urlsplit(url).scheme](url, self.service, **seconds)
        adapter.declare(self.topic)
        self._adapters.append(adapter)
        return adapter

    def listener(
        self,
        receive: Receive | None = None,
        url: str | None = None,
        *,
        ordered: bool = False,
        at_once: int | None = None,
        **seconds: float,
    ) -> BrokerAdapter:
        """A publisher that subscribes to the topic, too. All listeners are one consumer."""
        adapter = self.publisher(url, **seconds)
        receive = receive or self.keep
        adapter.subscribe(self.topic, self.consumer, receive, ordered=ordered, at_once=at_once)
        return adapter

    def message(
        self,
        body: bytes = b"{}",
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> BrokerMessage:
        attributes = {"ce-id": str(uuid4()), "ce-type": self.topic, **(headers or {})}
        if key is not None:
            attributes["ce-subject"] = key
        return BrokerMessage(self.topic, body, attributes, key)

    def bodies(self) -> list[bytes]:
        """What has arrived, sorted."""
        return sorted(message.body for message in self.received)

    async def stop(self) -> None:
        for adapter in self._adapters:
            await adapter.stop()


class Held:
    """Receives messages and keeps none before it is let go."""

    def __init__(self, bench: Bench) -> None:
        self.running = 0
        self.may_end = asyncio.Event()
        self._bench = bench

    async def __call__(self, message: BrokerMessage) -> None:
        self.running += 1
        await self.may_end.wait()
        await self._bench.keep(message)


async def until(condition: Callable[[], Awaitable[object] | object]) -> None:
    """Return when `condition` holds; fail after the deadline."""
    async with asyncio.timeout(DEADLINE):
        while True:
            outcome = condition()
            if await outcome if isinstance(outcome, Awaitable) else outcome:
                return
            await asyncio.sleep(0.02)
