"""What only MySQL's driver does: errors that are not SQLAlchemy's when a connection breaks."""

import asyncio
from asyncio import StreamReader, StreamWriter

import pytest
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import func
from sqlalchemy.engine import make_url
from sqlmodel import select

from app.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.faults.proxy import Proxy

uvloop = pytest.importorskip("uvloop", reason="the service runs on asyncio's own loop here")


def at_port(port: int, settings: Settings) -> str:
    url = make_url(settings.database_url).set(host="127.0.0.1", port=port)
    return url.render_as_string(hide_password=False)


def hang_up(reader: StreamReader, writer: StreamWriter) -> None:
    writer.transport.abort()


async def answer_while_the_server_hangs_up(settings: Settings) -> Response:
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        url = at_port(server.sockets[0].getsockname()[1], settings)
        app = create_app(settings.model_copy(update={"database_url": url}))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
            return await client.get("/orders")


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
