"""Handlers and converters may be written with postponed annotations, as many modules are."""

from __future__ import annotations

from app.building_blocks.command_line.catalogue import catalogue_of
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.messages import DomainEvent
from app.building_blocks.operations.flow import flow_of
from app.building_blocks.wiring import Wiring


class Rung(DomainEvent):
    pass


class RungIntegrationEvent(IntegrationEvent):
    topic = "bells.rung.v1"


def convert_rung(event: Rung) -> RungIntegrationEvent:
    return RungIntegrationEvent()


def bells() -> Wiring:
    feature = Feature("bells")
    feature.publish(Rung, convert_rung)
    return Wiring([feature])


def test_the_map_leads_to_the_topic_of_such_a_converter() -> None:
    edges = {(start.name, end.name) for start, end in flow_of(bells()).edges}
    assert edges == {("Rung", "convert_rung"), ("convert_rung", "bells.rung.v1")}


def test_the_catalogue_knows_who_publishes_by_such_a_converter() -> None:
    [event] = catalogue_of(bells())
    assert event.published_by == ("bells",)
