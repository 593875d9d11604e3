"""Times as the database keeps them, and as people read them."""

from datetime import UTC, datetime

STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
"""Units of time and their seconds, from the largest on."""


def in_utc(time: datetime | None) -> datetime | None:
    """With its zone, which some databases do not keep: every time of the machinery is in UTC."""
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def duration(seconds: float) -> str:
    """Its two largest parts, such as `3 min 5 s`."""
    left, parts = round(seconds), list[str]()
    for size, unit in STEPS:
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
        elif parts:
            break
    return " ".join(parts) or "0 s"
