"""A connection to RabbitMQ that recovers by itself."""

from collections.abc import Sequence
from contextlib import suppress

import aio_pika
from faststream.rabbit import RabbitBroker
from faststream.rabbit.prometheus import RabbitPrometheusMiddleware
from yarl import URL

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.rabbitmq.errors import reaching_rabbitmq

GRACEFUL_TIMEOUT, GOODBYE_TIMEOUT = 15.0, 5.0


class Connection:
    """`name` is how the server's own tools show it; `timeout` bounds a connect, in seconds."""

    def __init__(
        self,
        url: str,
        name: str,
        timeout: float,
        middlewares: Sequence[RabbitPrometheusMiddleware] = (),
    ) -> None:
        # A silent connection is given up after three heartbeats; the default is a minute each.
        heartbeat = str(max(1, round(2 * timeout)))
        address = URL(url)
        self.broker = RabbitBroker(
            address.with_query({"heartbeat": heartbeat, "name": name, **address.query}),
            timeout=timeout,
            reconnect_interval=1.0,
            graceful_timeout=GRACEFUL_TIMEOUT,
            middlewares=middlewares,
            apply_types=False,
            logger=None,
        )
        self._connection: aio_pika.RobustConnection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.connected.is_set()

    async def open(self) -> None:
        """Raises what aio-pika raises."""
        self._connection = await self.broker.connect()

    def channel(self) -> aio_pika.Channel:
        """A new one, open within an `async with` block. Raises BrokerUnavailableError."""
        if self._connection is None or not self.is_open:
            raise BrokerUnavailableError("RabbitMQ is not connected: try again later")
        return aio_pika.Channel(self._connection)

    async def close(self) -> None:
        """Let running deliveries finish, then close, whether or not the server still answers."""
        goodbyes = [self.broker.stop, *([self._connection.close] if self._connection else ())]
        for goodbye in goodbyes:
            with suppress(Exception):
                async with reaching_rabbitmq(GRACEFUL_TIMEOUT + GOODBYE_TIMEOUT):
                    await goodbye()
