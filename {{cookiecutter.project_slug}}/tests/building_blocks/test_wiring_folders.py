"""What is in a feature's folder and does not take part is found when the app starts."""

import pytest

from app.building_blocks.errors import WiringError
from app.building_blocks.feature_folders import import_features
from app.building_blocks.wiring import Wiring
from tests.building_blocks.written_features import WrittenFeatures

BOOKS = "from app.building_blocks.feature import Feature\n\nbooks = Feature('books')\n"
NOT_REGISTERED = (
    "shop/features/books is not in FEATURES: add its feature to shop/features/__init__.py, "
    "or delete the folder."
)
SELL_TOY = """
from app.building_blocks.messages import Command
from shop.features.toys.messages import ToyBought, ToyBoughtIntegrationEvent


class SellToy(Command[None]):
    pass


def convert_toy_sold(event: ToyBought) -> ToyBoughtIntegrationEvent: ...
"""


@pytest.mark.parametrize("files", [["feature.py"], ["__init__.py", "feature.py"]])
def test_a_feature_that_is_not_registered(written: WrittenFeatures, files: list[str]) -> None:
    for file in files:
        written.add(f"books/{file}", BOOKS if file == "feature.py" else "")
    assert written.problems() == [NOT_REGISTERED]


def test_a_feature_that_is_imported_and_not_registered(written: WrittenFeatures) -> None:
    written.add("books/feature.py", BOOKS)
    written.add("__init__.py", "from shop.features.books.feature import books\n")
    assert written.problems() == [NOT_REGISTERED]


def test_the_first_feature_is_not_registered(written: WrittenFeatures) -> None:
    written.change("__init__.py", "(toys,)", "()")
    [problem] = written.problems()
    assert problem.startswith("shop/features/toys is not in FEATURES: ")


def test_a_registered_feature_without_a_line_is_no_mistake(written: WrittenFeatures) -> None:
    written.add("books/feature.py", BOOKS)
    written.add("__init__.py", "from shop.features.books.feature import books\n")
    written.add("__init__.py", "FEATURES = (toys, books)\n")
    assert written.problems() == []


def test_a_folder_without_a_feature_is_no_mistake(written: WrittenFeatures) -> None:
    written.add("shared/prices.py", "")
    assert written.problems() == []


def test_some_of_the_features_can_run_without_the_others(written: WrittenFeatures) -> None:
    written.add("books/feature.py", BOOKS)
    written.add("__init__.py", "from shop.features.books.feature import books\n")
    written.add("__init__.py", "FEATURES = (toys, books)\n")
    _, books = written.registered
    assert Wiring([books]).features == [books]


@pytest.mark.parametrize("module", ["sell_toy", "__init__", "selling/sell_toy"])
def test_what_is_forgotten_is_found_in_a_module_that_nothing_imports(
    written: WrittenFeatures, module: str
) -> None:
    written.add(f"toys/{module}.py", SELL_TOY)
    command, converter = written.problems()
    assert command == "SellToy has no handler: add a line to its feature's feature.py."
    assert converter.startswith(
        f"convert_toy_sold in shop/features/toys/{module}.py is not published: "
        "add toys.publish(ToyBought, convert_toy_sold) to "
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("from shop.features.toys.messages import Toy\n", "ImportError: cannot import name 'Toy' "),
        ("import shop.features.nowhere\n", "ModuleNotFoundError: No module named 'shop."),
        ("class Toy\n", "SyntaxError: "),
        ("raise ValueError('many\\nlines')\n", "ValueError: many)"),
        ("raise SystemExit\n", "SystemExit)"),
    ],
)
def test_a_module_that_cannot_be_imported(written: WrittenFeatures, text: str, reason: str) -> None:
    written.add("toys/sell_toy.py", text)
    [problem] = written.problems()
    assert problem.startswith(f"shop/features/toys/sell_toy.py cannot be imported ({reason}")
    assert problem.endswith("): mend it, or delete it.")
    assert "\n" not in problem


@pytest.mark.parametrize("name", ["toys/__main__.py", "toys/sell-toy.py", "toys/old.d/sell.py"])
def test_what_is_no_module_is_not_run(written: WrittenFeatures, name: str) -> None:
    written.add(name, "raise AssertionError\n")
    assert written.problems() == []


def test_a_module_that_asks_for_a_package_that_is_not_installed_is_passed_over(
    written: WrittenFeatures,
) -> None:
    written.add("toys/test_toys.py", "import a_package_that_is_not_installed\n")
    assert written.problems() == []


def test_all_mistakes_of_folders_are_told_at_once(written: WrittenFeatures) -> None:
    written.add("books/feature.py", BOOKS)
    written.add("toys/broken.py", "from shop.features.toys.messages import Toy\n")
    written.add("toys/sell_toy.py", SELL_TOY)
    problems = written.problems()
    named = ["books", "broken.py", "SellToy", "convert_toy_sold"]
    assert len(problems) == len(named)
    for name, problem in zip(named, problems, strict=True):
        assert name in problem


def test_migrations_know_the_tables_of_modules_that_nothing_imports(
    written: WrittenFeatures,
) -> None:
    written.add("toys/tables.py", "")
    features = written.registered
    assert not written.is_imported("tables")
    import_features(features)
    assert written.is_imported("tables")


def test_migrations_refuse_to_miss_a_feature(written: WrittenFeatures) -> None:
    written.add("books/feature.py", BOOKS)
    with pytest.raises(WiringError) as refused:
        import_features(written.registered)
    assert written.told(refused.value) == [NOT_REGISTERED]


def test_migrations_do_not_mind_a_forgotten_line(written: WrittenFeatures) -> None:
    written.change("toys/feature.py", "toys.handle(BuyToy, buy_toy)", "")
    import_features(written.registered)
