"""Databases made for one test on real servers, and dropped after it."""

import os
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from missing import missing

SERVERS = {
    "postgresql": os.environ.get("POSTGRESQL_SERVER", "postgresql://postgres@127.0.0.1:5432"),
    "mysql": os.environ.get("MYSQL_SERVER", "mysql://root@127.0.0.1:3306"),
    "rabbitmq": os.environ.get("RABBITMQ_SERVER", "amqp://guest:guest@127.0.0.1:5672"),
    "nats": os.environ.get("NATS_SERVER", "nats://127.0.0.1:4222"),
    "redis": os.environ.get("REDIS_SERVER", "redis://127.0.0.1:6379"),
}


def require(name: str) -> SplitResult:
    """The address of a server. Skips the test when nothing listens there; fails it in CI."""
    url = urlsplit(SERVERS[name])
    try:
        socket.create_connection((url.hostname or "", url.port or 0), timeout=3).close()
    except OSError:
        missing(
            f"{name} does not answer at {url.hostname}:{url.port}: start it, "
            f"or name another server in {name.upper()}_SERVER."
        )
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
