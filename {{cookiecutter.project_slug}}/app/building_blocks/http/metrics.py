"""`/metrics`: what the machinery counts, in Prometheus' text format."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import DEAD, RETRYING, inbox
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.table import DEAD as REFUSED
from app.building_blocks.outbox.table import WAITING, outbox

_COUNTED = [
    *((outbox, state) for state in (WAITING, REFUSED)),
    *((inbox, state) for state in (RETRYING, DEAD)),
]


def metrics_router(metrics: Metrics, database: Database) -> APIRouter:
    """The backlog is counted at each scrape; everything else as it happens."""
    router = APIRouter(tags=["operations"])

    @router.get("/metrics")
    async def scrape() -> Response:
        try:
            await _count_backlog(metrics, database)
        except Exception as error:
            if not database.is_away(error):
                raise
            # The counters of this process are worth most just then.
            metrics.backlog.clear()
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _count_backlog(metrics: Metrics, database: Database) -> None:
    async with database.reader.connect() as connection:
        for table, state in _COUNTED:
            rows = select(func.count()).select_from(table).where(table.c.state == state)
            count = await connection.scalar(rows)
            metrics.backlog.labels(table.name, state).set(count or 0)
