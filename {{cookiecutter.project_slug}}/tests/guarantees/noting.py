"""An event that is published as it is, without a command."""

from typing import Any

from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator


class NotedIntegrationEvent(IntegrationEvent):
    topic = "tests.noted.v1"
    key = "name"

    name: str
    text: str = ""


async def publish(mediator: Mediator, event: IntegrationEvent, **options: Any) -> None:
    async with mediator.unit_of_work() as uow:
        uow.publish(event, **options)
