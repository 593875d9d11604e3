"""`publisher run` publishes what waits without HTTP, and ends when it is told to."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.activity import replicas_of
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from app.settings import Settings
from tests.command_line.conftest import Command
from tests.conftest import PROJECT
from tests.guarantees.brokers import OWN_URL
from tests.operations.rows import PUBLISHED, WAITING, count, write
from tests.own_broker import own_broker_url
from tests.scratch_database import scratch_database
from tests.unreachable import unreachable
from tests.waiting import eventually

DEADLINE = 60.0


@asynccontextmanager
async def publisher(
    settings: Settings, module: str, url: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "publisher", "run"),
        cwd=PROJECT,
        env={
            **os.environ,
            "SERVICE_NAME": settings.service_name,
            "DATABASE_URL": settings.database_url,
            "BROKER_URL": url,
            "OUTBOX_POLL_INTERVAL": "0.1",
            "LOG_LEVEL": "INFO",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
async def test_it_publishes_what_waits_and_ends_when_told(
    settings: Settings, database: Database, number: signal.Signals
) -> None:
    await write(database, WAITING, {"payload": '"one"'}, {"payload": '"two"'})

    async def all_published() -> bool:
        return await count(database, PUBLISHED) == 3

    async with publisher(
        settings, "tests.command_line.printing_broker", "printing://here"
    ) as process:
        assert process.stdout is not None
        lines = await _lines_until(process.stdout, '"two"')
        # It goes on: what comes later goes out, too.
        await write(database, WAITING, {"message_id": "later", "payload": '"three"'})
        await eventually(all_published, deadline=DEADLINE, what="the third message")
        [replica] = await replicas_of(database)
        assert {"outbox publisher", "retention", "broker connection"} <= set(replica.parts)
        process.send_signal(number)
        rest, errors = await process.communicate()
    lines += rest.decode().splitlines()
    assert process.returncode == 0, errors.decode()
    published = [line.rpartition(" ")[2] for line in lines if line.startswith("published ")]
    assert published == ['"one"', '"two"', '"three"']
    declared = {line.rpartition(" ")[2] for line in lines if line.startswith("declared ")}
    assert declared == {event.topic for event in Wiring(FEATURES).published}
    assert not [line for line in lines if line.startswith("subscribed")]
    assert lines[-1] == "stopped"
    assert "Traceback" not in errors.decode()
    assert "publisher runs" in errors.decode()


async def _lines_until(stream: asyncio.StreamReader, end: str) -> list[str]:
    lines: list[str] = []
    while not (lines and lines[-1].endswith(end)):
        line = (await stream.readline()).decode()
        assert line, lines
        lines.append(line.rstrip("\n"))
    return lines


async def test_it_publishes_to_the_broker_of_the_service(
    settings: Settings, database: Database
) -> None:
    if OWN_URL.startswith("memory:"):
        pytest.skip("BROKER_URL is memory:// here, and there is nothing to publish to.")
    url = own_broker_url()
    await write(database, WAITING, *({} for _ in range(5)))

    async def all_published() -> bool:
        return await count(database, PUBLISHED) == 5

    async with publisher(settings, "app", url) as process:
        await eventually(all_published, deadline=DEADLINE, what="five published messages")
        process.terminate()
        _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


async def test_it_refuses_a_broker_that_nobody_else_reaches(
    database: Database, command: Command
) -> None:
    ended = await command("publisher", "run")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("BROKER_URL is memory://, which reaches nobody outside its process")


async def test_it_does_not_run_on_a_database_without_tables(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with scratch_database(tmp_path_factory.mktemp("empty")) as url:
        empty = settings.model_copy(update={"database_url": url})
        module = "tests.command_line.printing_broker"
        async with publisher(empty, module, "printing://here") as process:
            _, errors = await process.communicate()
    assert process.returncode == 3
    assert "The database has not been migrated" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_it_waits_for_a_database_that_is_away(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = unreachable(settings.database_url, tmp_path_factory.mktemp("away"))
    away = settings.model_copy(update={"database_url": url})
    async with publisher(away, "tests.command_line.printing_broker", "printing://here") as process:
        assert process.stderr is not None
        await _lines_until_with(process.stderr, "publisher runs")
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def _lines_until_with(stream: asyncio.StreamReader, part: str) -> None:
    while part not in (line := (await stream.readline()).decode()):
        assert line, f"it ended before it said {part!r}"
