"""Integration events made up by a test, and models for their fields."""

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from app.building_blocks.integration_event import IntegrationEvent

FROZEN = ConfigDict(frozen=True)
TOPIC = "toys.changed.v1"


class Dimension(BaseModel):
    model_config = FROZEN
    unit: str
    lengths: tuple[Decimal, ...]


class Part(BaseModel):
    model_config = FROZEN
    name: str
    dimension: Dimension | None = None


def event_with(annotation: Any) -> type[IntegrationEvent]:
    """An integration event with the one field `value`."""
    made = create_model("ValueIntegrationEvent", __base__=IntegrationEvent, value=(annotation, ...))
    made.topic = TOPIC
    return made
