"""What the tests of NATS share: another program, and a server of their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
import pytest_asyncio

from tests.broker.bench import Bench
from tests.broker.nats.outsider import Outsider
from tests.broker.nats.server import NatsServer


@pytest_asyncio.fixture
async def outsider(bench: Bench) -> AsyncIterator[Outsider]:
    async with await nats.connect(bench.url) as client:
        outsider = Outsider(client)
        yield outsider
        await bench.stop()
        await outsider.ask(f"STREAM.DELETE.{bench.service}")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    yield server
    server.kill()
