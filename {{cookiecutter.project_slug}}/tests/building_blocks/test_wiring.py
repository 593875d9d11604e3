"""Every mistake of wiring is found when the app starts, in a sentence that names the culprit."""

from typing import Any

from app.building_blocks.feature import Feature
from app.building_blocks.messages import Command, Query
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from tests.building_blocks.wired_toys import (
    Bought,
    BoughtIntegrationEvent,
    Buy,
    Count,
    buy,
    convert,
    convert_again,
    convert_to_any,
    count,
    part_of,
    problems_of,
    toys,
    when_bought,
    wrong,
)


@part_of("shop.books")
class Burn(Command[None]):
    pass


@part_of("shop.books")
class Browse(Query[int]):
    pass


@part_of("shop.books")
class _OfBooks(Query[int]):
    """What queries have in common is no query."""


@part_of("shop.toys")
async def untyped(message, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return "anything"


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
