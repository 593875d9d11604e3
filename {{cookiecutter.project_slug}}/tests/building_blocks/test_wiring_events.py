"""Mistakes in the wiring of events are found when the app starts."""

from typing import Any

import pytest

from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.wiring import Wiring
from app.features.orders.domain import Order
from tests.building_blocks.wired_toys import (
    Bought,
    BoughtAgainIntegrationEvent,
    BoughtIntegrationEvent,
    convert,
    convert_again,
    convert_to_any,
    problems_of,
    toys,
    when_bought,
)


def convert_to_base(event: Bought) -> IntegrationEvent:
    return BoughtIntegrationEvent()


@pytest.mark.parametrize("converter", [convert_to_any, convert_to_base])
def test_a_converter_that_does_not_say_what_it_makes(converter: Any) -> None:
    feature = toys()
    feature.publish(Bought, converter)
    [problem] = problems_of(feature)
    assert problem.startswith(f"{converter.__name__}, the converter of Bought, needs the class")


def test_a_topic_used_twice() -> None:
    feature = toys()
    feature.publish(Bought, convert_again)
    [problem] = problems_of(feature)
    assert problem == (
        "BoughtIntegrationEvent and BoughtAgainIntegrationEvent use the same topic "
        "'toys.bought.v1': a topic carries one kind of event."
    )


def test_a_topic_used_twice_by_a_publisher_and_a_subscriber() -> None:
    async def when_bought_again(event: BoughtAgainIntegrationEvent, mediator: Mediator) -> None:
        pass

    games = Feature("games")
    games.subscribe(BoughtAgainIntegrationEvent, when_bought_again)
    [problem] = problems_of(toys(), games)
    assert "use the same topic 'toys.bought.v1'" in problem


def test_two_converters_may_make_the_same_event_and_two_handlers_may_want_it() -> None:
    async def when_bought_too(event: BoughtIntegrationEvent, mediator: Mediator) -> None:
        pass

    feature, games = toys(), Feature("games")
    feature.publish(Bought, convert)
    feature.subscribe(BoughtIntegrationEvent, when_bought_too)
    games.subscribe(BoughtIntegrationEvent, when_bought)
    assert [subscription.name for subscription in Wiring([feature, games]).subscriptions] == [
        "toys.when_bought", "toys.when_bought_too", "games.when_bought",
    ]  # fmt: skip


def test_one_handler_subscribed_twice() -> None:
    feature = toys()
    feature.subscribe(BoughtIntegrationEvent, when_bought)
    assert problems_of(feature) == (
        "toys.when_bought is subscribed 2 times: each consumer needs a name of its own.",
    )


def test_an_event_that_is_only_subscribed_is_checked_too() -> None:
    class OrderSeenIntegrationEvent(IntegrationEvent):
        topic = "orders.order-seen.v1"

        order: Order

    async def when_order_seen(event: OrderSeenIntegrationEvent, mediator: Mediator) -> None:
        pass

    feature = toys()
    feature.subscribe(OrderSeenIntegrationEvent, when_order_seen)
    [problem] = problems_of(feature)
    assert problem.startswith("OrderSeenIntegrationEvent.order is Order: ")
