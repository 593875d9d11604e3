"""Which URLs are refused, and how a start can fail."""

import pytest
from redis.asyncio import Redis

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.redis.adapter import RedisAdapter
from tests.broker.bench import Bench, until
from tests.broker.proxy import Proxy


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("keep_hours=week", "keep_hours is a number of hours above 0, not 'week'"),
        ("keep_hours=0", "keep_hours"),
        ("keep_hours=nan", "keep_hours"),
        ("keep_entries=1.5", "keep_entries is a number of entries above 0, not '1.5'"),
        ("keep_entries=0", "keep_entries"),
        ("keep_hours=1&keep_entries=1", "not by both"),
        ("socket_timeout=soon", "socket_timeout"),
        ("nonsense=1", "nonsense"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused(query: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RedisAdapter(f"redis://127.0.0.1:6379/0?{query}", "test")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port", "redis://127.0.0.1/orders"])
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"port|orders"):
        RedisAdapter(url, "test")


async def test_a_start_on_a_key_that_is_no_stream_leaves_no_connection(
    bench: Bench, redis: Redis, proxy: Proxy
) -> None:
    await redis.set(bench.topic, "not a stream")
    adapter = bench.listener(url=proxy.url)
    with pytest.raises(BrokerUnavailableError, match="WRONGTYPE"):
        await adapter.start()
    await until(lambda: proxy.connections == 0)
    await redis.delete(bench.topic)
    await adapter.start()
    assert await adapter.is_connected()
