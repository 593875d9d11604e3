"""Adds a feature: an aggregate that can be created and shown, and an event that tells of it."""

import re
from pathlib import Path

from scaffold.changes import Changes
from scaffold.merging import merged, with_member
from scaffold.names import (
    RefusedError,
    check_class,
    check_feature,
    kebab,
    pascal,
    singular,
    snake,
    with_article,
    words,
)

MODULES = ("api", "converters", "domain", "feature", "integration_events", "queries")
REGISTER = "app/features/__init__.py"


def add_feature(root: Path, name: str, aggregate: str = "") -> Changes:
    """Plan the feature `name`; nothing is written yet. Raises RefusedError."""
    check_feature(name)
    aggregate = aggregate or pascal(singular(name))
    check_class(aggregate, "an aggregate (see --aggregate)", "Shipment")
    folder, tests, one = f"app/features/{name}", f"tests/features/{name}", snake(aggregate)
    changes = Changes(root, _words(name, aggregate))
    _refuse_what_is_there(changes, name, folder, tests)
    for module in MODULES:
        changes.create(f"{folder}/{module}.py", changes.filled(f"feature/{module}"))
    changes.create(f"{folder}/create_{one}.py", changes.filled("feature/create"))
    changes.create(f"{tests}/conftest.py", changes.filled("feature/conftest"))
    changes.create(f"{tests}/test_create_{one}.py", changes.filled("feature/test_create"))
    for package in (folder, tests):
        changes.create(f"{package}/__init__.py", "")
    _register(changes, name)
    changes.next_steps += [
        f"give {aggregate} its fields and rules: {folder}/domain.py, create_{one}.py, queries.py",
        f'make migration NAME="add {words(name)}", read what it wrote, then: make migrate',
        "make check",
    ]
    return changes


def _words(name: str, aggregate: str) -> dict[str, str]:
    thing = words(aggregate)
    return {
        "feature": name,
        "Aggregate": aggregate,
        "aggregate": snake(aggregate),
        "aggregate_in_topic": kebab(aggregate),
        "route": kebab(name),
        "thing": thing,
        "a_thing": with_article(thing),
        "A_thing": with_article(thing).capitalize(),
        "things": words(name),
        "Things": words(name).capitalize(),
    }


def _refuse_what_is_there(changes: Changes, name: str, *folders: str) -> None:
    for folder in folders:
        if changes.exists(folder):
            raise RefusedError(f"{folder} is there already: choose another name.")
    for file in changes.root.glob("app/features/**/*.py"):
        if re.search(rf"__tablename__ = [\"']{name}[\"']", file.read_text("utf-8", "replace")):
            path = file.relative_to(changes.root).as_posix()
            raise RefusedError(f"{path} has the table {name!r} already: choose another name.")


def _register(changes: Changes, name: str) -> None:
    line = f"from app.features.{name}.feature import {name}"
    text = with_member(changes.read(REGISTER), "FEATURES", name)
    if text is None:
        changes.by_hand.append(f"put {name} into FEATURES of {REGISTER}, and above it:\n{line}")
    else:
        changes.replace(REGISTER, merged(text, line))
