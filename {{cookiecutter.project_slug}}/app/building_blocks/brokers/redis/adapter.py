"""Redis Streams: a stream per topic, a group per consumer, entries kept for a configured time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from faststream.redis import RedisBroker
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.building_blocks.brokers.adapter import (
    Binding,
    BrokerMessage,
    BrokerUnavailableError,
    Receive,
    Subscription,
)
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.redis.address import read_url
from app.building_blocks.brokers.redis.errors import reaching_redis
from app.building_blocks.brokers.redis.group import Member
from app.building_blocks.brokers.redis.reader import PREFETCH, Reader
from app.building_blocks.brokers.redis.subscriber import consuming_broker, handling
from app.building_blocks.brokers.redis.writer import Writer
from app.building_blocks.brokers.together import Outcomes, publish_one

START_TIMEOUT = 30.0


class RedisAdapter:
    """Adds entries to streams and reads them in consumer groups.

    `timeout` bounds a connect and a send, `retry_pause` is how long a failed delivery is kept,
    `claim_after` how long an entry of a reader that died waits for another; all in seconds.
    """

    binding = Binding("redis", "ce-", "redis")
    publish_at_once = 100

    def __init__(
        self,
        url: str,
        service: str,
        *,
        registry: CollectorRegistry | None = None,
        timeout: float = 5.0,
        retry_pause: float = 1.0,
        claim_after: float = 15.0,
    ) -> None:
        """Raises ValueError when `url` cannot be used."""
        self._service, self._registry, self._timeout = service, registry, timeout
        self._url, silence, retention = read_url(url, timeout)
        self._writer, self._claim_after = Writer(retention, timeout), claim_after
        self._block = min(1.0, silence / 2, claim_after / 10)
        self._deliveries = Deliveries(retry_pause)
        self._subscriptions: list[Subscription] = []
        self._broker: RedisBroker | None = None
        self._readers: list[Reader] = []

    def declare(self, topic: str) -> None:
        """A stream begins with its first entry."""

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        self._subscriptions.append(Subscription(topic, consumer, receive, ordered, at_once))

    async def start(self) -> None:
        if self._writer.is_open:
            return
        self._deliveries.open()
        try:
            self._broker = consuming_broker(self._url, self._service, self._registry)
            async with reaching_redis(START_TIMEOUT):
                client = await self._broker.connect()
                seconds, _ = await client.time()
                for subscription in self._subscriptions:
                    await self._read(self._broker, client, subscription)
        except ResponseError as error:
            await self.stop()
            raise BrokerUnavailableError(f"Redis refuses to serve: {error}") from error
        except BaseException:
            await self.stop()
            raise
        self._writer.open(client, seconds)

    async def stop(self) -> None:
        self._deliveries.close()
        self._writer.close()
        readers, self._readers = self._readers, []
        await asyncio.gather(*(reader.close(self._timeout) for reader in readers))
        broker, self._broker = self._broker, None
        if broker:
            with suppress(Exception):
                async with asyncio.timeout(self._timeout):
                    await broker.stop()

    async def publish(self, message: BrokerMessage) -> None:
        await publish_one(self.publish_all, message)

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        return await self._writer.add_all(messages)

    async def is_connected(self) -> bool:
        """Ask the server: a connection can look open long after its other end has gone."""
        if not all(reader.is_reading for reader in self._readers):
            return False
        with suppress(BrokerUnavailableError, ResponseError):
            async with reaching_redis(self._timeout):
                await self._writer.client.time()
                return True
        return False

    async def _read(self, broker: RedisBroker, client: Redis, subscription: Subscription) -> None:
        reader = Reader(
            Member(client, subscription.topic, subscription.consumer),
            handling(broker, subscription, self._deliveries),
            self._deliveries,
            ordered=subscription.ordered,
            at_once=subscription.at_once or PREFETCH,
            claim_after=self._claim_after,
            block=self._block,
        )
        self._readers.append(reader)
        await reader.open()
