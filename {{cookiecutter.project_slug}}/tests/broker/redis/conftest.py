"""What the tests of Redis share: another program, and a server of their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from tests.broker.bench import Bench
from tests.broker.redis.server import RedisServer


@pytest_asyncio.fixture
async def redis(bench: Bench) -> AsyncIterator[Redis]:
    """The server as another program sees it."""
    async with Redis.from_url(bench.url, protocol=2) as client:
        yield client
        await bench.stop()
        await client.delete(bench.topic)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()
