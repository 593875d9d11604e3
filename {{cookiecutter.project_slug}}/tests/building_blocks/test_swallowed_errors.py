"""A command that swallows what its database said is not told that it succeeded."""

from contextlib import suppress

import pytest
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import registry

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.messages import Command
from app.building_blocks.outbox.table import outbox
from app.building_blocks.unit_of_work import UnitOfWork
from tests.mediators import mediator_of


class Break(Command[None]):
    """Adds what cannot be added, and goes on as if it had been."""


class Broken:
    """A row that no database takes."""


registry().map_imperatively(Broken, outbox)


async def break_it(command: Break, uow: UnitOfWork) -> None:
    uow.session.add(Broken())
    with suppress(DBAPIError):
        await uow.session.flush()


async def test_a_flush_that_failed_fails_the_command(database: Database) -> None:
    feature = Feature("tests")
    feature.handle(Break, break_it)
    with pytest.raises(SQLAlchemyError, match="rolled back"):
        await mediator_of(database, feature).send(Break())
