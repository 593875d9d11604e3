"""A pooled connection is asked whether it is there when it has lain idle, and only then."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.building_blocks.databases.liveness import ping_when_idle
from app.database import open_database
from tests.proxy import Proxy


@pytest_asyncio.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    """The network before the database."""
    url = make_url(database_url)
    assert url.host
    assert url.port, "Write the port into TEST_DATABASE_URL, so that the network can be cut."
    proxy = Proxy(url.host, url.port, lambda said, port: said)
    async with proxy.listening():
        yield proxy


@pytest_asyncio.fixture
async def engine(database_url: str, proxy: Proxy) -> AsyncIterator[AsyncEngine]:
    """Transactions over that network; nothing of it has been used yet."""
    url = make_url(database_url).set(host="127.0.0.1", port=proxy.port)
    database = open_database(url.render_as_string(hide_password=False))
    yield database.writer
    await database.dispose()


def count_pings(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    dialect, pinged = engine.sync_engine.dialect, list[object]()
    ping = dialect.do_ping

    def counting(connection: Any) -> bool:
        pinged.append(connection)
        return ping(connection)

    monkeypatch.setattr(dialect, "do_ping", counting)
    return pinged


async def transaction(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))


async def test_one_transaction_after_the_other_asks_nothing_more_than_it_has_to(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinged = count_pings(engine, monkeypatch)
    for _ in range(3):
        await transaction(engine)
    assert pinged == []


async def test_a_connection_that_lay_idle_is_asked(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinged = count_pings(engine, monkeypatch)
    ping_when_idle(engine, after=0.0)
    await transaction(engine)
    assert pinged == []
    await transaction(engine)
    assert len(pinged) == 1


async def test_a_connection_that_was_cut_while_it_lay_idle_is_replaced(
    engine: AsyncEngine, proxy: Proxy
) -> None:
    ping_when_idle(engine, after=0.0)
    await transaction(engine)
    proxy.cut()
    await transaction(engine)
