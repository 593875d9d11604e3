"""How busy the service was, as bars."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.building_blocks.operations.activity import Minute

HIGH = 100


class Span(NamedTuple):
    """`bars` of `minutes` each, up to now; the table has a row for `row_bars` of them."""

    name: str
    title: str
    bars: int
    minutes: int
    row_bars: int


SPANS = {
    span.name: span
    for span in (Span("day", "Last day", 144, 10, 6), Span("hour", "Last hour", 60, 1, 5))
}


class Slot(NamedTuple):
    """What was done in the minutes from `start` to `end`."""

    start: datetime
    end: datetime
    published: int
    handled: int
    failed: int
    dead: int


class Bar(NamedTuple):
    """`y` and `height` are shares of `HIGH`, from the top."""

    x: int
    y: float
    height: float
    title: str


class Chart(NamedTuple):
    """`peak` is the highest rate, in messages a minute."""

    name: str
    css: str
    bars: Sequence[Bar]
    width: int
    peak: float
    total: int
    ticks: Sequence[datetime]


def slots_of(minutes: Sequence[Minute], now: datetime, span: Span) -> list[Slot]:
    """One for each bar, oldest first; the last one is not over yet."""
    size = timedelta(minutes=span.minutes)
    last = now.replace(minute=now.minute - now.minute % span.minutes, second=0, microsecond=0)
    start = last - (span.bars - 1) * size
    sums = [[0, 0, 0, 0] for _ in range(span.bars)]
    for one in minutes:
        place = (one.start - start) // size
        if 0 <= place < span.bars:
            done = (one.published, one.handled, one.failed, one.dead)
            sums[place] = [old + new for old, new in zip(sums[place], done, strict=True)]
    return [Slot(start + n * size, start + (n + 1) * size, *done) for n, done in enumerate(sums)]


def rows_of(slots: Sequence[Slot], span: Span) -> list[Slot]:
    """The same for people who read a table: fewer, and the latest first."""
    groups = [slots[n : n + span.row_bars] for n in range(0, len(slots), span.row_bars)]
    return [
        Slot(
            group[0].start,
            group[-1].end,
            sum(slot.published for slot in group),
            sum(slot.handled for slot in group),
            sum(slot.failed for slot in group),
            sum(slot.dead for slot in group),
        )
        for group in reversed(groups)
    ]


def chart(name: str, what: str, slots: Sequence[Slot], span: Span) -> Chart:
    """Of one number of the slots, `what`, as a rate a minute."""
    counts = [int(getattr(slot, what)) for slot in slots]
    most = max(counts)
    bars = [
        Bar(place, HIGH - height, height, f"{slot.start:%H:%M}, {count:,} {what}")
        for place, (slot, count) in enumerate(zip(slots, counts, strict=True))
        if count
        # A single one among thousands has to show.
        for height in [max(2.0, round(HIGH * count / most, 1))]
    ]
    quarter = span.bars // 4
    ticks = [slots[n * quarter].start for n in range(4)] + [slots[-1].end]
    return Chart(name, what, bars, len(slots), most / span.minutes, sum(counts), ticks)
