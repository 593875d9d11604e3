"""What the template's tests share: services baked once, and services that run."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from bakery import bake
from brokers import scratch_broker
from servers import scratch_database
from service import Service

Baked = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    """Give the service baked with a database and a broker; each is baked once and not changed."""
    services: dict[tuple[str, str], Path] = {}

    def get(database: str, broker: str) -> Path:
        if (database, broker) not in services:
            folder = tmp_path_factory.mktemp(f"{database}-{broker}")
            services[database, broker] = bake(folder, database=database, broker=broker)
        return services[database, broker]

    return get


@pytest.fixture
async def running_service(
    request: pytest.FixtureRequest, baked: Baked, tmp_path: Path
) -> AsyncIterator[Service]:
    """A running service with the options that the test names, on a database of its own."""
    database, broker = getattr(request, "param", ("sqlite", "memory"))
    async with AsyncExitStack() as stack:
        database_url = await stack.enter_async_context(scratch_database(database, tmp_path))
        broker_url = stack.enter_context(scratch_broker(broker))
        service = Service(baked(database, broker), database_url, broker_url)
        yield stack.enter_context(service)
