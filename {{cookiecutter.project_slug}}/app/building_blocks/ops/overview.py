"""The first page: what was done, what waits, what died, and who is at work."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.activity import minutes_of, replicas_of
from app.building_blocks.operations.backlog import Backlog, backlogs
from app.building_blocks.ops.charts import SPANS, chart, rows_of, slots_of
from app.building_blocks.ops.views import Views, clock
from app.building_blocks.ops.visit import Visit

_TITLES = {
    ("outbox", "waiting"): ("Waiting", "to be published"),
    ("inbox", "retrying"): ("Retrying", "a handler failed"),
    ("inbox", "dead"): ("Dead letters", "a handler gave up"),
    ("outbox", "dead"): ("Refused", "by the broker"),
}
_LATE_SECONDS = 60.0


class Card(NamedTuple):
    """`mood` is good, odd or bad."""

    title: str
    note: str
    backlog: Backlog
    mood: str


class Overview:
    """Reads a few rows of each table, however many there are."""

    def __init__(self, views: Views, database: Database) -> None:
        self._views, self._database = views, database

    async def show(self, visit: Visit) -> Response:
        span = SPANS.get(visit.query.get("span", ""), SPANS["day"])
        now = await clock(self._database)
        slots = slots_of(await minutes_of(self._database), now, span)
        charts = [
            chart("Published", "published", slots, span),
            chart("Handled", "handled", slots, span),
            chart("Failed", "failed", slots, span),
        ]
        return self._views.page(
            visit,
            "overview.html",
            now=now,
            span=span,
            spans=SPANS.values(),
            charts=charts,
            rows=rows_of(slots, span),
            cards=_cards(await backlogs(self._database, only_open=True)),
            replicas=await replicas_of(self._database),
        )


def _cards(open_ones: Sequence[Backlog]) -> list[Card]:
    found = {(one.box, one.state): one for one in open_ones}
    return [Card(*title, found[place], _mood(found[place])) for place, title in _TITLES.items()]


def _mood(backlog: Backlog) -> str:
    if not backlog.rows:
        return "good"
    if backlog.state == "dead":
        return "bad"
    is_late = (backlog.oldest_seconds or 0) > _LATE_SECONDS
    return "odd" if is_late or backlog.state == "retrying" else "good"
