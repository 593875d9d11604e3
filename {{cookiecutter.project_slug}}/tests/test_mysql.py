"""What only MySQL and its driver do: how connections break, and what errors quote."""

import asyncio
import logging
from asyncio import StreamReader, StreamWriter

import pytest
from fastapi import APIRouter, Request
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import func, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.many_rows import plan_of_a_claim
from tests.operations.rows import DEAD, write
from tests.proxy import Proxy

uvloop = pytest.importorskip("uvloop", reason="the service runs on asyncio's own loop here")


router = APIRouter()


@router.get("/look")
async def look(request: Request) -> None:
    async with request.app.state.mediator.database.read() as session:
        await session.exec(select(func.now()))


def at_port(port: int, settings: Settings) -> str:
    url = make_url(settings.database_url).set(host="127.0.0.1", port=port)
    return url.render_as_string(hide_password=False)


def hang_up(reader: StreamReader, writer: StreamWriter) -> None:
    writer.transport.abort()


async def answer_while_the_server_hangs_up(settings: Settings) -> Response:
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        url = at_port(server.sockets[0].getsockname()[1], settings)
        away = settings.model_copy(update={"database_url": url})
        app = create_app(away, [Feature("looking", router=router)])
        async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
            return await client.get("/look")


def test_a_server_that_hangs_up_at_once_is_away(settings: Settings) -> None:
    # The loop that the service runs on: there the driver finds the socket gone.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer = runner.run(answer_while_the_server_hangs_up(settings))
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("answers", range(1, 5))
async def test_a_read_that_has_its_answer_does_not_mind_when_the_connection_breaks(
    answers: int, settings: Settings
) -> None:
    left = 0

    def answered(data: bytes, port: int) -> bytes:
        nonlocal left
        left -= 1
        if left == 0:
            asyncio.get_running_loop().call_soon(proxy.cut)
        return data

    server = make_url(settings.database_url)
    proxy = Proxy(server.host or "127.0.0.1", server.port or 3306, answered)
    async with proxy.listening():
        database = open_database(at_port(proxy.port, settings))
        async with database.read() as session:
            await session.exec(select(func.now()))
            # The answers to come are those to whatever gives the connection back.
            left = answers
        await database.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inbox SET attempts = :value", "UPDATE inbox SET received_at = :value",
        "UPDATE inbox SET attempts = 1 + CAST(:value AS SIGNED)", "SELECT :value FROM",
        "SELECT 1 FROM inbox ORDER :value",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["hunter2", "it's hunter2", "' for column hunter2 at row 1"])
async def test_an_error_quotes_no_value(database: Database, statement: str, value: str) -> None:
    await write(database, DEAD, {})
    with pytest.raises(DBAPIError) as caught:
        async with database.begin() as connection:
            await connection.execute(text(statement), {"value": value})
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.orig!r}"
    assert "..." in str(caught.value)


async def test_a_warning_of_the_server_is_no_line_in_the_log(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="root"):
        async with database.reader.connect() as connection:
            await connection.execute(text("SELECT CAST(:value AS DATE)"), {"value": "hunter2"})
    assert "hunter2" not in caplog.text


async def test_a_claim_passes_rows_of_other_states_by(database: Database) -> None:
    plan = await plan_of_a_claim(database, "EXPLAIN", "ANALYZE TABLE outbox")
    assert "ix_outbox_state_position" in plan, plan
