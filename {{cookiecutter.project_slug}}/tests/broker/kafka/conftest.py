"""What the tests of Kafka share: another program, and a server to do harm to."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.building_blocks.brokers.kafka.reader import KafkaReader
from tests.broker.bench import Bench
from tests.broker.kafka.program import Program
from tests.own_broker import MockCluster


@pytest.fixture
def program(bench: Bench) -> Program:
    return Program(bench.url)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MockCluster:
    """A server to do harm to, whichever the other tests use."""
    monkeypatch.setattr(KafkaReader, "session_timeout", MockCluster.SESSION_TIMEOUT)
    return MockCluster()


@pytest_asyncio.fixture
async def victim(cluster: MockCluster) -> AsyncIterator[Bench]:
    """Makes adapters of that server."""
    bench = Bench(cluster.url)
    yield bench
    await bench.stop()
