"""The database that this service was generated for."""

from app.building_blocks.databases.database import Database
from app.building_blocks.databases.mysql import MySQL


def open_database(url: str) -> Database:
    """Prepare, without connecting yet. Raises ConfigurationError."""
    return Database(MySQL(), url)
