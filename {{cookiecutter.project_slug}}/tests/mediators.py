"""A mediator on the test's database, and what its commands leave in the outbox."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Behaviour, Mediator
from app.building_blocks.outbox.handover import Handover
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.outbox.table import outbox
from app.building_blocks.routes import Routes, grouped
from app.building_blocks.wake_up import WakeUp


def mediator_of(
    database: Database,
    feature: Feature,
    *,
    behaviours: Sequence[Behaviour] = (),
    wake_up: WakeUp | None = None,
    handover: Handover | None = None,
) -> Mediator:
    """A mediator that knows one feature, made up by a test."""
    routes = Routes(
        commands=dict(feature.commands),
        queries=dict(feature.queries),
        domain_event_handlers=grouped(feature.domain_event_handlers),
        converters=grouped(feature.converters),
    )
    return mediator_with(
        database, routes, behaviours=behaviours, wake_up=wake_up, handover=handover
    )


def mediator_with(
    database: Database,
    routes: Routes,
    *,
    behaviours: Sequence[Behaviour] = (),
    wake_up: WakeUp | None = None,
    handover: Handover | None = None,
) -> Mediator:
    """A mediator without a publisher, but by `handover`: what it writes stays in the outbox."""
    written = Outbox(database.dialect, "test-service", wake_up or WakeUp(), handover=handover)
    return Mediator(routes, database, written, behaviours)


async def outbox_rows(database: Database) -> Sequence[Row[Any]]:
    """What waits to be published, oldest first."""
    async with database.reader.connect() as connection:
        return (await connection.execute(select(outbox).order_by(outbox.c.position))).all()
