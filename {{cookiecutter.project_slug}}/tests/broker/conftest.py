"""What the tests of this service's broker share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.broker.bench import Bench
from tests.broker.proxy import Proxy
from tests.own_broker import own_broker_url


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench(own_broker_url())
    yield bench
    await bench.stop()


@pytest_asyncio.fixture
async def proxy(bench: Bench) -> AsyncIterator[Proxy]:
    proxy = Proxy(bench.url)
    await proxy.open()
    yield proxy
    await bench.stop()
    await proxy.close()
