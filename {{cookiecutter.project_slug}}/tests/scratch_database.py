"""A database that lives as long as the test run: a file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def scratch_database(folder: Path) -> AsyncIterator[str]:
    """The URL of an empty database; gone after the block."""
    yield f"sqlite:///{folder / 'test.db'}"
