"""NATS JetStream: one stream per service, a durable pull consumer per handler, acknowledged."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from itertools import chain
from typing import Any

from faststream.nats import NatsBroker
from nats.js.errors import APIError

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
    Receive,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.nats.connection import (
    Connection,
    Server,
    disconnect,
    reaching_nats,
)
from app.building_blocks.brokers.nats.consumer import NatsConsumer
from app.building_blocks.brokers.nats.jetstream import JetStream
from app.building_blocks.brokers.nats.wire import encode, require_subject

log = logging.getLogger("app.broker")

START_TIMEOUT, GRACEFUL_TIMEOUT = 30.0, 15.0
# JetStream's numbers for a message, and for headers, above its limits.
TOO_LARGE = {10054, 10097}


class NatsAdapter:
    """Publishes and consumes over one connection, and makes another when it is lost.

    `timeout` bounds a connect and a send; a delivery without a sign of life for twice as long
    goes to another replica. `retry_pause` is how long a failed one is kept. Both in seconds.
    """

    attribute_prefix = "ce-"

    def __init__(
        self, url: str, service: str, *, timeout: float = 5.0, retry_pause: float = 1.0
    ) -> None:
        self._server, self._service, self._timeout = Server(url), service, timeout
        self._deliveries = Deliveries(retry_pause)
        self._broker = NatsBroker(logger=None, apply_types=False)
        self._topics = set[str]()
        self._consumers: dict[str, NatsConsumer] = {}
        self._jetstream: JetStream | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._pulls: list[asyncio.Task[None]] = []

    def declare(self, topic: str) -> None:
        """Raises ValueError when `topic` is no subject of NATS."""
        self._topics.add(require_subject(topic))

    def subscribe(
        self, topic: str, consumer: str, receive: Receive, *, ordered: bool = False
    ) -> None:
        """Raises ValueError when NATS has no such name, or it would stand for two consumers."""
        new = NatsConsumer(
            self._broker,
            topic,
            consumer,
            receive,
            self._deliveries,
            ordered=ordered,
            ack_wait=2 * self._timeout,
        )
        if self._consumers.setdefault(new.durable, new) is not new:
            raise ValueError(f"{consumer} and another consumer would both be {new.durable} on NATS")

    async def start(self) -> None:
        if self._keeper is None:
            self._deliveries.open()
            # What `connect` of the broker would do; but the connection is made here.
            self._broker._setup_logger()
            try:
                await self._open()
            except BaseException:
                await self._close()
                raise
            self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        keeper, self._keeper = self._keeper, None
        pulls, self._pulls = self._pulls, []
        await _cancel(pulls)
        self._deliveries.close()
        if running := self._running():
            await asyncio.wait(running, timeout=GRACEFUL_TIMEOUT)
        await _cancel([keeper] if keeper else [])
        await self._close()
        await _cancel(self._running())

    async def publish(self, message: BrokerMessage) -> None:
        async with reaching_nats(self._timeout):
            jetstream = self._connected()
            headers = encode(message, jetstream.client.max_payload)
            try:
                await jetstream.publish(message.topic, message.body, headers)
            except APIError as error:
                if error.err_code in TOO_LARGE:
                    raise MessageRefusedError(f"JetStream refuses this message: {error}") from error
                raise

    async def is_connected(self) -> bool:
        """Ask JetStream: a connection can look open long after its other end has gone."""
        with suppress(BrokerUnavailableError):
            async with reaching_nats(self._timeout):
                await self._connected().ask("INFO")
            return not self._is_broken and not any(c.problem for c in self._consumers.values())
        return False

    @property
    def _is_broken(self) -> bool:
        is_lost = self._jetstream is None or self._jetstream.client.is_closed
        return is_lost or any(pull.done() for pull in self._pulls)

    def _connected(self) -> JetStream:
        if self._jetstream is None or self._jetstream.client.is_closed:
            raise BrokerUnavailableError("NATS is not connected: try again later")
        return self._jetstream

    def _running(self) -> list[asyncio.Task[Any]]:
        return list(chain.from_iterable(c.running.replies for c in self._consumers.values()))

    async def _open(self) -> None:
        """Connect, see to streams and consumers, begin to pull."""
        async with reaching_nats(START_TIMEOUT):
            client = Connection()
            jetstream = JetStream(client, self._service, self._timeout)
            await self._server.connect(client, self._service, self._timeout, jetstream.lost)
            try:
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

    async def _close(self) -> None:
        pulls, self._pulls = self._pulls, []
        await _cancel(pulls)
        jetstream, self._jetstream = self._jetstream, None
        if jetstream is not None:
            await disconnect(jetstream.client, self._timeout)

    async def _keep(self) -> None:
        """Say which deliveries go on; make another connection when this one is lost."""
        while True:
            await asyncio.sleep(self._timeout / 4)
            if not self._is_broken:
                for each in self._consumers.values():
                    await each.say_what_goes_on()
            elif not self._deliveries.stopping:
                await self._close()
                try:
                    await self._open()
                except BrokerUnavailableError as error:
                    log.debug("%s", error)
                except Exception:
                    log.exception("connecting to NATS failed in a way that nobody thought of")


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("a part of the NATS adapter has failed", exc_info=outcome)
