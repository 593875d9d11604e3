"""The connection that an adapter works over: kept up, and made anew when it is lost."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.nats.connection import (
    Connection,
    Server,
    disconnect,
    reaching_nats,
)
from app.building_blocks.brokers.nats.consumer import NatsConsumer
from app.building_blocks.brokers.nats.jetstream import JetStream

log = logging.getLogger("app.broker")

START_TIMEOUT, GRACEFUL_TIMEOUT = 30.0, 15.0


class Link:
    """Sees to streams and consumers at each connection, and pulls for the consumers.

    It looks at `topics` and `consumers` when it opens. `timeout` bounds a connect, in seconds.
    """

    def __init__(
        self,
        server: Server,
        service: str,
        topics: Collection[str],
        consumers: Mapping[str, NatsConsumer],
        deliveries: Deliveries,
        timeout: float,
    ) -> None:
        self._server, self._service, self._timeout = server, service, timeout
        self._topics, self._consumers, self._deliveries = topics, consumers, deliveries
        self._jetstream: JetStream | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._pulls: list[asyncio.Task[None]] = []

    @property
    def is_kept(self) -> bool:
        """Whether it has been opened and not closed."""
        return self._keeper is not None

    @property
    def is_broken(self) -> bool:
        """Whether it has to be made anew."""
        is_lost = self._jetstream is None or self._jetstream.client.is_closed
        return is_lost or any(pull.done() for pull in self._pulls)

    @property
    def jetstream(self) -> JetStream:
        """Raises BrokerUnavailableError while there is no connection."""
        if self._jetstream is None or self._jetstream.client.is_closed:
            raise BrokerUnavailableError("NATS is not connected: try again later")
        return self._jetstream

    async def open(self) -> None:
        """Raises BrokerUnavailableError, and then leaves nothing open."""
        try:
            await self._connect()
        except BaseException:
            await self._disconnect()
            raise
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Ask for nothing more, let running deliveries finish, then disconnect."""
        keeper, self._keeper = self._keeper, None
        await self._stop_pulling()
        self._deliveries.close()
        if running := self._running():
            await asyncio.wait(running, timeout=GRACEFUL_TIMEOUT)
        await _cancel([keeper] if keeper else [])
        await self._disconnect()
        await _cancel(self._running())

    async def _connect(self) -> None:
        """See to streams and consumers, begin to pull."""
        async with reaching_nats(START_TIMEOUT):
            client = Connection()
            jetstream = JetStream(client, self._service, self._timeout)
            await self._server.connect(client, self._service, self._timeout, jetstream.lost)
            try:
                await jetstream.open()
                await jetstream.declare(self._topics)
                streams = [await each.bind(jetstream) for each in self._consumers.values()]
            except BaseException:
                await disconnect(client, self._timeout)
                raise
            self._jetstream = jetstream
        self._pulls = [
            asyncio.create_task(each.run(jetstream, stream))
            for each, stream in zip(self._consumers.values(), streams, strict=True)
        ]

    async def _disconnect(self) -> None:
        await self._stop_pulling()
        jetstream, self._jetstream = self._jetstream, None
        if jetstream is not None:
            await disconnect(jetstream.client, self._timeout)

    async def _stop_pulling(self) -> None:
        pulls, self._pulls = self._pulls, []
        await _cancel(pulls)

    async def _keep(self) -> None:
        """Say which deliveries go on; make another connection when this one is lost."""
        while True:
            await asyncio.sleep(self._timeout / 4)
            if not self.is_broken:
                for each in self._consumers.values():
                    await each.say_what_goes_on()
            elif not self._deliveries.stopping:
                await self._disconnect()
                try:
                    await self._connect()
                except BrokerUnavailableError as error:
                    log.debug("%s", error)
                except Exception:
                    log.exception("connecting to NATS failed in a way that nobody thought of")

    def _running(self) -> list[asyncio.Task[Any]]:
        return list(chain.from_iterable(c.running.replies for c in self._consumers.values()))


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("a part of the NATS adapter has failed", exc_info=outcome)
