"""The database that this service was generated for."""

from app.building_blocks.databases.database import Database
from app.building_blocks.databases.postgresql import PostgreSQL


def open_database(url: str) -> Database:
    """Prepare, without connecting yet. Raises ConfigurationError."""
    return Database(PostgreSQL(), url)
