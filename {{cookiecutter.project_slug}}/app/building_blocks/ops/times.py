"""Times, ages and numbers as people read them."""

from datetime import datetime

from app.building_blocks.operations.times import STEPS


def utc(time: datetime) -> str:
    """To the second."""
    return f"{time:%Y-%m-%d %H:%M:%S}"


def age(seconds: float) -> str:
    """Its largest part, such as `3 min`."""
    size, unit = next((step for step in STEPS if seconds >= step[0]), STEPS[-1])
    return f"{int(seconds // size)} {unit}"


def relative(time: datetime, now: datetime) -> str:
    """`3 min ago`, or `in 3 min`."""
    seconds = (now - time).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{age(seconds)} ago" if seconds > 0 else f"in {age(-seconds)}"


def number(count: int, *, is_more: bool = False) -> str:
    """With commas, and a plus when counting stopped."""
    return f"{count:,}{'+' if is_more else ''}"
