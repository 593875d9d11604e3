"""A function without its line in feature.py is named when the app starts, and no other one."""

import pytest

from app.building_blocks.wiring import Wiring
from tests.building_blocks.written_features import WrittenFeatures

LINES = {
    "toys.handle(BuyToy, buy_toy)": (
        "BuyToy has no handler: add a line to its feature's feature.py."
    ),
    "toys.publish(ToyBought, convert_toy_bought)": (
        "convert_toy_bought in shop/features/toys/functions.py is not published: "
        "add toys.publish(ToyBought, convert_toy_bought) to its feature.py, "
        "or begin its name with _ if it is a helper."
    ),
    "toys.react(ToyBought, count_toy)": (
        "count_toy in shop/features/toys/functions.py does not react to anything: "
        "add toys.react(ToyBought, count_toy) to its feature.py, "
        "or begin its name with _ if it is a helper."
    ),
    "toys.subscribe(ToyBoughtIntegrationEvent, when_toy_bought)": (
        "when_toy_bought in shop/features/toys/functions.py is not subscribed: "
        "add toys.subscribe(ToyBoughtIntegrationEvent, when_toy_bought) to its feature.py, "
        "or begin its name with _ if it is a helper."
    ),
}
DECORATOR = """
from functools import wraps


def logged(function):
    return wraps(function)(lambda *arguments: function(*arguments))
"""
OTHER_FORMS = [
    "def amount(event: ToyBought) -> int: ...",
    "def first(event: ToyBought, other: ToyBought) -> ToyBoughtIntegrationEvent: ...",
    "def newer(event: ToyBoughtIntegrationEvent) -> ToyBoughtIntegrationEvent: ...",
    "async def record(event: ToyBought, reason: str) -> None: ...",
    "async def log(event: ToyBoughtIntegrationEvent, reason: str) -> None: ...",
    "async def resell(toy: int, uow: UnitOfWork) -> None: ...",
    "def make(*events: ToyBought) -> ToyBoughtIntegrationEvent: ...",
    "def nothing() -> ToyBoughtIntegrationEvent: ...",
    "def unknown(event: 'NotThere') -> ToyBoughtIntegrationEvent: ...",
    "def untyped(event): ...",
    "def to_any(event: ToyBought) -> IntegrationEvent: ...",
    "async def log_all(event: DomainEvent, uow: UnitOfWork) -> None: ...",
]


def test_features_without_a_mistake_are_silent(written: WrittenFeatures) -> None:
    assert written.problems() == []


@pytest.mark.parametrize("line", LINES)
def test_a_forgotten_line_is_told(written: WrittenFeatures, line: str) -> None:
    written.change("toys/feature.py", line, "")
    assert written.problems() == [LINES[line]]


def test_all_forgotten_lines_are_told_at_once(written: WrittenFeatures) -> None:
    for line in LINES:
        written.change("toys/feature.py", line, "")
    assert sorted(written.problems()) == sorted(LINES.values())


def test_the_line_is_written_with_the_name_that_the_feature_has(written: WrittenFeatures) -> None:
    written.change("toys/feature.py", "toys.publish(ToyBought, convert_toy_bought)\n", "")
    written.change("toys/feature.py", "\ntoys", "\nplaythings")
    written.change("__init__.py", "import toys", "import playthings as toys")
    [problem] = written.problems()
    assert "add playthings.publish(ToyBought, convert_toy_bought) to its feature.py" in problem


def test_a_parameter_with_a_default_does_not_hide_a_converter(written: WrittenFeatures) -> None:
    written.add(
        "toys/functions.py",
        "def convert_by(event: ToyBought, by: str = '') -> ToyBoughtIntegrationEvent: ...\n",
    )
    [problem] = written.problems()
    assert problem.startswith("convert_by in shop/features/toys/functions.py is not published: ")


def test_a_handler_of_many_events_is_told_with_its_batch(written: WrittenFeatures) -> None:
    written.add(
        "toys/functions.py",
        "async def when_toys_bought(events: list[ToyBoughtIntegrationEvent], mediator: Mediator)"
        " -> None: ...\n",
    )
    [problem] = written.problems()
    line = "toys.subscribe(ToyBoughtIntegrationEvent, when_toys_bought, batch=100)"
    assert f"add {line} to its feature.py" in problem


@pytest.mark.parametrize("function", OTHER_FORMS)
def test_a_function_of_another_form_is_no_forgotten_one(
    written: WrittenFeatures, function: str
) -> None:
    written.add("toys/functions.py", f"{function}\n")
    assert written.problems() == []


def test_a_private_function_is_a_helper(written: WrittenFeatures) -> None:
    written.add(
        "toys/functions.py",
        "def _convert(event: ToyBought) -> ToyBoughtIntegrationEvent: ...\n"
        "async def _when(event: ToyBoughtIntegrationEvent, mediator: Mediator) -> None: ...\n"
        "async def _count(event: ToyBought, uow: UnitOfWork) -> None: ...\n",
    )
    assert written.problems() == []


@pytest.mark.parametrize("place", ["functions", "feature"])
def test_a_decorated_function_is_not_forgotten(written: WrittenFeatures, place: str) -> None:
    written.add("toys/messages.py", DECORATOR)
    if place == "functions":
        written.change("toys/functions.py", "import BuyToy", "import logged, BuyToy")
        written.change("toys/functions.py", "\ndef convert", "\n@logged\ndef convert")
        written.change("toys/functions.py", "async def", "@logged\nasync def")
    else:
        for name in ("convert_toy_bought", "when_toy_bought", "count_toy"):
            written.change("toys/feature.py", f"{name})", f"logged({name}))")
    assert written.problems() == []


def test_a_line_of_another_feature_counts(written: WrittenFeatures) -> None:
    line = "toys.publish(ToyBought, convert_toy_bought)"
    written.change("toys/feature.py", line, "")
    written.add("toys/feature.py", 'more = Feature("more")\nmore' + line.removeprefix("toys"))
    written.change("__init__.py", "import toys", "import more, toys")
    written.change("__init__.py", "(toys,)", "(toys, more)")
    assert written.problems() == []


def test_features_of_tests_are_not_looked_through(written: WrittenFeatures) -> None:
    written.change("toys/feature.py", "toys.publish(ToyBought, convert_toy_bought)", "")
    [toys] = written.registered
    toys_of_a_test = type(toys)("toys")
    toys_of_a_test.subscriptions = toys.subscriptions
    assert Wiring([toys_of_a_test]).subscriptions == toys.subscriptions
