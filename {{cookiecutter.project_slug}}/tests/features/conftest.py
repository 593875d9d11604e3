"""What the tests of commands need: a mediator that knows every feature."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from tests.mediators import mediator_with


@pytest.fixture
def mediator(database: Database) -> Mediator:
    """Every command of the service, with the real database and no broker."""
    return mediator_with(database, Wiring(FEATURES).routes)
