"""Adds entries to streams and trims these on the way."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import DataError, ResponseError

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.redis.errors import reaching_redis
from app.building_blocks.brokers.redis.retention import Retention
from app.building_blocks.brokers.redis.wire import encode

# Each send holds a connection until it is confirmed.
SENDERS = 16


class Writer:
    """`timeout` bounds a send, in seconds."""

    def __init__(self, retention: Retention, timeout: float) -> None:
        self._retention, self._timeout = retention, timeout
        self._client: Redis | None = None
        self._sending = asyncio.Semaphore(SENDERS)

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

    async def add(self, message: BrokerMessage) -> None:
        """Raises BrokerUnavailableError and MessageRefusedError."""
        fields = encode(message)
        try:
            async with reaching_redis(self._timeout), self._sending:
                oldest, most = self._retention.oldest(), self._retention.entries
                await self.client.xadd(message.topic, fields, minid=oldest, maxlen=most)
        except (ResponseError, DataError) as error:
            raise MessageRefusedError(f"Redis refuses this message: {error}") from error
