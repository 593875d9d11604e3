"""A command that swallows what its database said is not told that it succeeded."""

from contextlib import suppress

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import registry

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.messages import Command
from app.building_blocks.outbox.table import outbox
from app.building_blocks.unit_of_work import UnitOfWork
from tests.mediators import mediator_of, outbox_rows


class Break(Command[None]):
    """Adds what cannot be added, and goes on as if it had been."""


class Broken:
    """A row that no database takes."""


class Collide(Command[None]):
    """Inserts what is there already by a statement, swallows what comes of it, and goes on."""


registry().map_imperatively(Broken, outbox)


async def break_it(command: Break, uow: UnitOfWork) -> None:
    uow.session.add(Broken())
    with suppress(DBAPIError):
        await uow.session.flush()


async def collide(command: Collide, uow: UnitOfWork) -> None:
    row = {"message_id": "one", "topic": "t", "payload": "{}"}
    connection = await uow.connection()
    await connection.execute(insert(outbox), row)
    with suppress(DBAPIError):
        await connection.execute(insert(outbox), row)


async def test_a_flush_that_failed_fails_the_command(database: Database) -> None:
    feature = Feature("tests")
    feature.handle(Break, break_it)
    with pytest.raises(SQLAlchemyError, match="rolled back"):
        await mediator_of(database, feature).send(Break())


async def test_a_statement_that_failed_fails_the_command_or_leaves_the_rest_of_it(
    database: Database,
) -> None:
    feature = Feature("tests")
    feature.handle(Collide, collide)
    mediator, stored = mediator_of(database, feature), 1
    try:
        await mediator.send(Collide())
    except DBAPIError:
        # Where a failed statement ends its transaction.
        stored = 0
    assert len(await outbox_rows(database)) == stored
