"""Redis Streams: a stream per topic, a group per consumer, entries kept for a configured time."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from faststream.redis import RedisBroker
from redis.asyncio import Redis
from redis.exceptions import DataError, ResponseError

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
    Receive,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.redis.errors import reaching_redis
from app.building_blocks.brokers.redis.group import Member
from app.building_blocks.brokers.redis.reader import Reader
from app.building_blocks.brokers.redis.subscriber import handling
from app.building_blocks.brokers.redis.wire import encode, read_url

# Each send holds a connection until it is confirmed.
SENDERS = 16
START_TIMEOUT = 30.0
_SILENT: Any = None  # FastStream's word for no logger, which its types do not know


class RedisAdapter:
    """Adds entries to streams and reads them in consumer groups.

    `timeout` bounds a connect and a send, `retry_pause` is how long a failed delivery is kept,
    `claim_after` how long an entry of a reader that died waits for another; all in seconds.
    """

    attribute_prefix = "ce-"

    def __init__(
        self,
        url: str,
        service: str,
        *,
        timeout: float = 5.0,
        retry_pause: float = 1.0,
        claim_after: float = 15.0,
    ) -> None:
        """Raises ValueError when `url` cannot be used."""
        self._url, silence, self._retention = read_url(url, timeout)
        self._timeout, self._claim_after = timeout, claim_after
        self._block = min(1.0, silence / 2, claim_after / 10)
        self._deliveries = Deliveries(retry_pause)
        self._subscriptions: list[tuple[str, str, Receive, bool]] = []
        self._broker: RedisBroker | None = None
        self._client: Redis | None = None
        self._readers: list[Reader] = []
        self._sending = asyncio.Semaphore(SENDERS)
        self._server_clock = 0.0

    def declare(self, topic: str) -> None:
        """A stream begins with its first entry."""

    def subscribe(
        self, topic: str, consumer: str, receive: Receive, *, ordered: bool = False
    ) -> None:
        self._subscriptions.append((topic, consumer, receive, ordered))

    async def start(self) -> None:
        if self._client:
            return
        self._deliveries.open()
        try:
            async with reaching_redis(START_TIMEOUT):
                self._broker = RedisBroker(self._url, logger=_SILENT, apply_types=False)
                client = await self._broker.connect()
                seconds, _ = await client.time()
                self._server_clock = seconds - time.monotonic()
                for subscription in self._subscriptions:
                    self._readers.append(self._reader(self._broker, client, *subscription))
                    await self._readers[-1].open()
        except ResponseError as error:
            await self.stop()
            raise BrokerUnavailableError(f"Redis refuses to serve: {error}") from error
        except BaseException:
            await self.stop()
            raise
        self._client = client

    async def stop(self) -> None:
        self._deliveries.close()
        readers, self._readers, self._client = self._readers, [], None
        await asyncio.gather(*(reader.close(self._timeout) for reader in readers))
        broker, self._broker = self._broker, None
        if broker:
            with suppress(Exception):
                async with asyncio.timeout(self._timeout):
                    await broker.stop()

    async def publish(self, message: BrokerMessage) -> None:
        fields = encode(message)
        hours, entries = self._retention.hours, self._retention.entries
        try:
            async with reaching_redis(self._timeout), self._sending:
                client = self._connected()
                # By the server's clock, which has made the ids: another could trim too much.
                now = self._server_clock + time.monotonic()
                oldest = None if hours is None else max(0, round((now - hours * 3600) * 1000))
                await client.xadd(message.topic, fields, minid=oldest, maxlen=entries)
        except (ResponseError, DataError) as error:
            raise MessageRefusedError(f"Redis refuses this message: {error}") from error

    async def is_connected(self) -> bool:
        """Ask the server: a connection can look open long after its other end has gone."""
        if not all(reader.is_reading for reader in self._readers):
            return False
        with suppress(BrokerUnavailableError, ResponseError):
            async with reaching_redis(self._timeout):
                await self._connected().time()
                return True
        return False

    def _connected(self) -> Redis:
        if self._client is None:
            raise BrokerUnavailableError("Redis is not connected: try again later")
        return self._client

    def _reader(
        self,
        broker: RedisBroker,
        client: Redis,
        topic: str,
        consumer: str,
        receive: Receive,
        ordered: bool,
    ) -> Reader:
        return Reader(
            Member(client, topic, consumer),
            handling(broker, topic, consumer, receive, self._deliveries),
            self._deliveries,
            ordered=ordered,
            claim_after=self._claim_after,
            block=self._block,
        )
