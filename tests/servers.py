"""Databases and virtual hosts made for one test on real servers, and dropped after it."""

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import pytest

SERVERS = {
    "postgresql": os.environ.get("POSTGRESQL_SERVER", "postgresql://postgres@127.0.0.1:5432"),
    "mysql": os.environ.get("MYSQL_SERVER", "mysql://root@127.0.0.1:3306"),
    "rabbitmq": os.environ.get("RABBITMQ_SERVER", "amqp://guest:guest@127.0.0.1:5672"),
}


def require(name: str) -> SplitResult:
    """The address of a server. Skips the test when nothing listens there; fails it in CI."""
    url = urlsplit(SERVERS[name])
    try:
        socket.create_connection((url.hostname or "", url.port or 0), timeout=3).close()
    except OSError:
        sentence = (
            f"{name} does not answer at {url.hostname}:{url.port}: start it, "
            f"or name another server in {name.upper()}_SERVER."
        )
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return url


@asynccontextmanager
async def scratch_database(name: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a new, empty database of the kind `name`, for the length of a block."""
    database = f"scratch_{uuid.uuid4().hex[:12]}"
    if name == "sqlite":
        yield f"sqlite+aiosqlite:///{(folder / f'{database}.db').as_posix()}"
        return
    server = require(name)
    driver = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy"}[name]
    run_sql = {"postgresql": _on_postgresql, "mysql": _on_mysql}[name]
    await run_sql(server, f"CREATE DATABASE {database}")
    try:
        yield f"{driver}://{server.netloc}/{database}"
    finally:
        force = " WITH (FORCE)" if name == "postgresql" else ""
        await run_sql(server, f"DROP DATABASE {database}{force}")


async def _on_postgresql(server: SplitResult, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(f"{server.scheme}://{server.netloc}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _on_mysql(server: SplitResult, statement: str) -> None:
    import asyncmy

    connection = await asyncmy.connect(
        host=server.hostname,
        port=server.port,
        user=server.username,
        password=server.password or "",
    )
    try:
        async with connection.cursor() as cursor:
            await cursor.execute(statement)
    finally:
        await connection.ensure_closed()


@contextmanager
def scratch_broker(name: str) -> Iterator[str]:
    """The URL of a broker that nobody else's events reach, for the length of a block.

    On RabbitMQ that is a virtual host. Where rabbitmqctl cannot make one (a server in a
    container), the server's own is used: tests that share it must run one after the other.
    """
    if name == "memory":
        yield "memory://"
        return
    server = require(name)
    host = f"scratch_{uuid.uuid4().hex[:12]}"
    if not (
        _rabbitmqctl("add_vhost", host)
        and _rabbitmqctl(
            "set_permissions", "-p", host, server.username or "guest", ".*", ".*", ".*"
        )
    ):
        yield f"amqp://{server.netloc}/"
        return
    try:
        yield f"amqp://{server.netloc}/{host}"
    finally:
        _rabbitmqctl("delete_vhost", host)


def _rabbitmqctl(*arguments: str) -> bool:
    program = shutil.which("rabbitmqctl")
    if program is None:
        return False
    command = [program, "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode == 0
