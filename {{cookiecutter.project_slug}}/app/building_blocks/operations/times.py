"""Times as the database keeps them, and as people read them."""

from datetime import UTC, datetime


def in_utc(time: datetime | None) -> datetime | None:
    """With its zone, which some databases do not keep: every time of the machinery is in UTC."""
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
