"""A handover, and a mediator whose commands hand over by it."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.handover import Handover
from tests.mediators import mediator_of


@pytest.fixture
def handover(database: Database) -> Handover:
    return Handover(database.dialect)


@pytest.fixture
def mediator(database: Database, handover: Handover) -> Mediator:
    return mediator_of(database, Feature("tests"), handover=handover)
