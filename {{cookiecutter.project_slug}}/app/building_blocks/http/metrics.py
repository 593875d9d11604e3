"""`/metrics`: what the machinery counts, in Prometheus' text format."""

import asyncio

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.building_blocks.databases.database import Database
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.backlog import Backlog, backlogs

log = structlog.get_logger(__name__)

_LONGEST_LOOK_SECONDS = 2.0


def metrics_router(metrics: Metrics, database: Database) -> APIRouter:
    """The backlog is looked at by each scrape; everything else is counted as it happens."""
    router = APIRouter(tags=["operations"])

    @router.get("/metrics")
    async def scrape() -> Response:
        known = await _look(database)
        metrics.database_up.set(known is not None)
        # What cannot be read now must not look as it did a while ago.
        metrics.backlog.clear()
        metrics.backlog_oldest.clear()
        for one in known or ():
            metrics.backlog.labels(one.box, one.state).set(one.rows)
            metrics.backlog_oldest.labels(one.box, one.state).set(one.oldest_seconds or 0)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _look(database: Database) -> list[Backlog] | None:
    """None when that fails: the counters of this process are worth most just then."""
    try:
        async with asyncio.timeout(_LONGEST_LOOK_SECONDS):
            return await backlogs(database, only_open=True)
    except Exception as error:
        if not (isinstance(error, TimeoutError) or database.is_away(error)):
            log.warning("the backlog cannot be read", reason=str(error))
        return None
