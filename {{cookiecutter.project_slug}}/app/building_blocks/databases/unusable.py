"""A database that cannot be used, told to the person who has to mend it."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.building_blocks.errors import BusyError

UNUSABLE = (DBAPIError, PoolTimeoutError, BusyError, OSError)
"""What is raised when the database is not there, lets nobody in, or has no time."""


def why_unusable(url: str, error: Exception) -> str:
    """The reason, then what to do. Of `url` it shows the place, and neither login nor options."""
    parts = make_url(url)
    place = URL.create(
        parts.get_backend_name(), host=parts.host, port=parts.port, database=parts.database
    )
    return (
        f"The database cannot be used: {_reason(error)}. Make sure that {place} is there and "
        "lets this service in, or correct DATABASE_URL."
    )


def _reason(error: Exception) -> str:
    told = (error.orig if isinstance(error, DBAPIError) else None) or error
    # Drivers put a number before it.
    lines = str(told.args[-1] if told.args else "").strip().splitlines()
    return lines[0].rstrip(".") if lines else type(told).__name__
