"""Every mistake of wiring is found when the app starts, in a sentence that names the culprit."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from app.building_blocks.errors import WiringError
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command, DomainEvent, Query
from app.building_blocks.unit_of_work import UnitOfWork
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from app.features.orders.domain import Order

T = TypeVar("T", bound=Callable[..., Any] | type[Any])


def part_of(package: str) -> Callable[[T], T]:
    """As if it stood in a module of `package`: forgotten commands are looked for by package."""

    def move(thing: T) -> T:
        thing.__module__ = f"{package}.module"
        return thing

    return move


@part_of("shop.toys")
class Buy(Command[int]):
    pass


@part_of("shop.toys")
class Count(Query[int]):
    pass


@part_of("shop.books")
class Burn(Command[None]):
    pass


@part_of("shop.books")
class Browse(Query[int]):
    pass


class Bought(DomainEvent):
    pass


class BoughtIntegrationEvent(IntegrationEvent):
    topic = "toys.bought.v1"


class BoughtAgainIntegrationEvent(IntegrationEvent):
    topic = "toys.bought.v1"


@part_of("shop.toys")
async def buy(command: Buy, uow: UnitOfWork) -> int:
    return 1


@part_of("shop.toys")
async def count(query: Count, session: Any) -> int:
    return 1


@part_of("shop.toys")
async def wrong(message: Any, context: Any) -> str:
    return "one"


@part_of("shop.toys")
async def untyped(message, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return "anything"


def convert(event: Bought) -> BoughtIntegrationEvent:
    return BoughtIntegrationEvent()


def convert_again(event: Bought) -> BoughtAgainIntegrationEvent:
    return BoughtAgainIntegrationEvent()


def convert_to_any(event: Bought) -> Any:
    return BoughtIntegrationEvent()


def convert_to_base(event: Bought) -> IntegrationEvent:
    return BoughtIntegrationEvent()


async def when_bought(event: BoughtIntegrationEvent, mediator: Mediator) -> None:
    pass


def toys() -> Feature:
    """A feature without a mistake."""
    feature = Feature("toys")
    feature.handle(Buy, buy)
    feature.answer(Count, count)
    feature.publish(Bought, convert)
    feature.subscribe(BoughtIntegrationEvent, when_bought)
    return feature


def problems_of(*features: Feature) -> tuple[str, ...]:
    with pytest.raises(WiringError) as refused:
        Wiring(features)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def test_the_features_of_this_service_fit_together() -> None:
    wiring = Wiring(FEATURES)
    assert set(wiring.routes.commands) == {pair[0] for f in FEATURES for pair in f.commands}
    assert len(wiring.published) == len({event.topic for event in wiring.published})


def test_a_feature_without_a_mistake_is_wired() -> None:
    wiring = Wiring([toys()])
    assert wiring.routes.commands == {Buy: buy}
    assert wiring.routes.queries == {Count: count}
    assert wiring.routes.converters == {Bought: [convert]}
    assert wiring.published == [BoughtIntegrationEvent]
    assert [subscription.name for subscription in wiring.subscriptions] == ["toys.when_bought"]


def test_two_features_of_one_name() -> None:
    assert problems_of(toys(), Feature("toys")) == (
        "2 features are called 'toys': consumers are named after the feature.",
    )


def test_a_command_and_a_query_without_a_handler() -> None:
    books = Feature("books")

    @part_of("shop.books")
    async def elsewhere(query: Any, session: Any) -> Any:
        pass

    books.answer(Count, elsewhere)
    assert problems_of(books) == (
        "Burn has no handler: add a line to its feature's feature.py.",
        "Browse has no handler: add a line to its feature's feature.py.",
    )


def test_two_handlers_of_one_command() -> None:
    feature = toys()
    feature.handle(Buy, buy)
    feature.answer(Count, count)
    assert problems_of(feature) == (
        "Buy has 2 handlers: a command or query has exactly one.",
        "Count has 2 handlers: a command or query has exactly one.",
    )


def test_a_handler_in_another_feature_is_a_second_one_too() -> None:
    games = Feature("games")
    games.handle(Buy, buy)
    assert problems_of(toys(), games) == (
        "Buy has 2 handlers: a command or query has exactly one.",
    )


def test_a_handler_with_another_result_than_its_command_promises() -> None:
    feature = Feature("toys")
    feature.handle(Buy, wrong)
    feature.answer(Count, untyped)
    assert problems_of(feature) == ("wrong answers <class 'str'>, but Buy promises <class 'int'>.",)


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


def test_all_mistakes_are_told_at_once() -> None:
    feature = toys()
    feature.handle(Buy, wrong)
    feature.publish(Bought, convert_to_any)
    feature.publish(Bought, convert_again)
    feature.subscribe(BoughtIntegrationEvent, when_bought)
    problems = problems_of(feature, Feature("toys"))
    named = ["'toys'", "Buy", "wrong", "convert_to_any", "'toys.bought.v1'", "toys.when_bought"]
    assert len(problems) == len(named)
    for name, problem in zip(named, problems, strict=True):
        assert name in problem
