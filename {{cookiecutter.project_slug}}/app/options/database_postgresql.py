"""The database that this service was generated for."""

from app.building_blocks.databases.database import Database, async_url
from app.building_blocks.databases.postgresql import PostgreSQL

DIALECT = PostgreSQL()


def check_database_url(url: str) -> None:
    """Raises ConfigurationError when this service cannot use `url`."""
    async_url(DIALECT, url)


def open_database(url: str) -> Database:
    """Prepare, without connecting yet. Raises ConfigurationError."""
    return Database(DIALECT, url)
