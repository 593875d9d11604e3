"""Every combination of options: style, types, migrations and the service's own tests."""

import itertools
import os
import tempfile
from pathlib import Path

import pytest
from bakery import BROKERS, DATABASES
from conftest import Baked
from servers import scratch_broker, scratch_database
from service import check

COMBINATIONS = [
    pytest.param(*options, marks=pytest.mark.xdist_group("-".join(options)), id="-".join(options))
    for options in itertools.product(DATABASES, BROKERS)
]
# Kept between runs, a folder a worker: a type check that starts from nothing takes a minute.
CACHES = Path(tempfile.gettempdir(), "cookiecutter-fastapi-events")
MYPY_CACHE = CACHES / f"mypy-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

SAME_FOR_EVERY_BROKER = (
    "building_blocks/*",
    "features/*",
    "properties/*",
    "guarantees/test_rule_*",
    "guarantees/test_what_*",
)

pytestmark = pytest.mark.parametrize(("database", "broker"), COMBINATIONS)


def test_the_style_is_clean(database: str, broker: str, baked: Baked) -> None:
    service = baked(database, broker)
    check(service, "ruff", "check", "--no-cache", ".")
    check(service, "ruff", "format", "--no-cache", "--check", ".")


def test_the_dependency_rules_hold(database: str, broker: str, baked: Baked) -> None:
    check(baked(database, broker), "importlinter.cli", "lint", "--no-cache", PYTHONPATH=".")


def test_the_types_are_strict(database: str, broker: str, baked: Baked) -> None:
    check(baked(database, broker), "mypy", "--strict", f"--cache-dir={MYPY_CACHE}")


async def test_the_migrations_go_up_and_down(
    database: str, broker: str, baked: Baked, tmp_path: Path
) -> None:
    service = baked(database, broker)
    async with scratch_database(database, tmp_path) as url:
        for command in ("upgrade head", "check", "downgrade base", "upgrade head", "check"):
            check(service, "alembic", *command.split(), DATABASE_URL=url)


async def test_the_services_own_tests_pass(
    database: str, broker: str, baked: Baked, tmp_path: Path
) -> None:
    # Files that no broker changes, shown to be the same bytes elsewhere, are run once a database.
    same = () if broker == "memory" else SAME_FOR_EVERY_BROKER
    async with scratch_database(database, tmp_path) as url:
        with scratch_broker(broker) as broker_url:
            check(
                baked(database, broker),
                *("pytest", "-p", "no:cacheprovider", "-q", f"--basetemp={tmp_path / 'service'}"),
                *(f"--ignore-glob=tests/{pattern}" for pattern in same),
                TEST_DATABASE_URL=url,
                TEST_BROKER_URL=broker_url,
            )
