"""A test of a subscriber learns at once why its handler fails."""

from uuid import UUID, uuid4

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.retry_policy import RetryPolicy
from app.main import create_app
from app.settings import Settings
from tests.handled import until_handled


class ParcelLostIntegrationEvent(IntegrationEvent):
    topic = "tests.parcel-lost.v1"
    parcel_id: UUID


async def when_parcel_lost(event: ParcelLostIntegrationEvent, mediator: Mediator) -> None:
    raise LookupError("nobody has seen it")


async def test_a_dead_letter_ends_the_wait_with_its_error(
    settings: Settings, database: Database
) -> None:
    parcels = Feature("parcels")
    parcels.subscribe(ParcelLostIntegrationEvent, when_parcel_lost, retry=RetryPolicy(0))
    app = create_app(settings, [parcels])
    async with app.router.lifespan_context(app):
        mediator: Mediator = app.state.mediator
        async with mediator.unit_of_work() as uow:
            uow.publish(ParcelLostIntegrationEvent(parcel_id=uuid4()))
        with pytest.raises(pytest.fail.Exception, match="LookupError: nobody has seen it"):
            await until_handled(database, "parcels.when_parcel_lost")
