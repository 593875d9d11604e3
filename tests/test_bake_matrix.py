"""Every combination of options: style, types, migrations and the service's own tests."""

import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from bakery import BROKERS, DATABASES, SOURCES
from brokers import scratch_broker
from conftest import Baked
from make import lint_imports
from servers import scratch_database
from service import check

COMBINATIONS = [
    pytest.param(*options, marks=pytest.mark.xdist_group("-".join(options)), id="-".join(options))
    for options in itertools.product(DATABASES, BROKERS)
]
# Kept between runs, a folder a worker: a type check that starts from nothing takes a minute.
CACHES = Path(tempfile.gettempdir(), "cookiecutter-fastapi-events")
MYPY_CACHE = CACHES / f"mypy-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

# What database and broker do together, for each pair of them.
TOGETHER = ("guarantees/test_every_broker*.py", "test_round_trip.py")

# A test is the same bytes in every service, which is shown elsewhere; here it runs where the
# database or the broker could make a difference. All run on the first database, through memory.
SAME_FOR_EVERY_DATABASE = (
    *TOGETHER,
    "building_blocks/test_background*",
    "building_blocks/test_exact_values.py",
    "building_blocks/test_integration_event.py",
    "building_blocks/test_mediator.py",
    "building_blocks/test_refused_fields.py",
    "building_blocks/test_retry_policy.py",
    "building_blocks/test_wake_up.py",
    "building_blocks/test_wiring*",
    "command_line/*",
    "memory_broker/*",
    "metrics/*",
    "ops/*",
    "properties/*",
    "scaffold/*",
    "start_up/*",
    "tracing/*",
    "test_carriers.py",
    "test_context*",
    "test_documents.py",
    "test_environment_of_requests.py",
    "test_exporting.py",
    "test_handled.py",
    "test_logs*",
    "test_outgoing.py",
    "test_trusted_headers.py",
)
OF_A_BROKER = (*TOGETHER, "start_up", "test_documents.py", "test_health.py")
ALL_RUN_ON = (DATABASES[0], "memory")
# Two that take about as long as one another, for two workers to share.
PARTS_OF_ALL = [
    pytest.param(part, marks=pytest.mark.xdist_group(name), id=name)
    for name, part in {
        "guarantees": ("tests/guarantees", "tests/command_line", "tests/building_blocks"),
        "the rest": (
            "tests",
            "--ignore=tests/guarantees",
            "--ignore=tests/command_line",
            "--ignore=tests/building_blocks",
        ),
    }.items()
]
NOT_AGAIN_IN_MEMORY = ("-k", "not memory")

each_combination = pytest.mark.parametrize(("database", "broker"), COMBINATIONS)


@each_combination
def test_the_style_is_clean(database: str, broker: str, baked: Baked) -> None:
    service = baked(database, broker)
    check(service, "ruff", "check", "--no-cache", ".")
    check(service, "ruff", "format", "--no-cache", "--check", ".")


@each_combination
def test_the_dependency_rules_hold(database: str, broker: str, baked: Baked) -> None:
    done = lint_imports(baked(database, broker))
    assert "Contracts: 4 kept, 0 broken." in done.stdout, done.stdout


@each_combination
def test_the_types_are_strict(database: str, broker: str, baked: Baked) -> None:
    check(baked(database, broker), "mypy", "--strict", f"--cache-dir={MYPY_CACHE}")


@pytest.mark.parametrize("database", DATABASES)
async def test_the_migrations_go_up_and_down(database: str, baked: Baked, tmp_path: Path) -> None:
    service = baked(database, "memory")
    async with scratch_database(database, tmp_path) as url:
        for command in ("upgrade head", "downgrade base", "upgrade head", "check"):
            check(service, "alembic", *command.split(), DATABASE_URL=url)


@pytest.mark.parametrize("part", PARTS_OF_ALL)
def test_all_of_the_services_own_tests_pass(part: Sequence[str], baked: Baked) -> None:
    service_tests(baked(*ALL_RUN_ON), *part)


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS[1:])
async def test_the_services_own_tests_pass(
    database: str, broker: str, baked: Baked, tmp_path: Path
) -> None:
    if broker == "memory":
        chosen = [f"--ignore={path}" for path in files(SAME_FOR_EVERY_DATABASE)]
    elif database == DATABASES[0]:
        chosen = ["tests/broker", *files(OF_A_BROKER), *NOT_AGAIN_IN_MEMORY]
    else:
        chosen = [*files(TOGETHER), *NOT_AGAIN_IN_MEMORY]
    async with scratch_database(database, tmp_path) as url:
        with own_test_broker(broker) as settings:
            service_tests(baked(database, broker), *chosen, TEST_DATABASE_URL=url, **settings)


@pytest.mark.parametrize("broker", BROKERS[1:])
def test_a_service_passes_its_own_tests_without_its_server(broker: str, baked: Baked) -> None:
    started = time.monotonic()
    service_tests(
        baked("sqlite", broker),
        *files(OF_A_BROKER),
        BROKER_URL="memory://",
        CI="false",
    )
    print(f"{broker}, through memory://: {time.monotonic() - started:.0f} s")


def files(patterns: Sequence[str]) -> list[str]:
    """Each file or folder of the service's tests that one of `patterns` stands for."""
    found = [sorted((SOURCES / "tests").glob(pattern)) for pattern in patterns]
    assert all(found), patterns
    return [str(path.relative_to(SOURCES)) for paths in found for path in paths]


@contextmanager
def own_test_broker(broker: str) -> Iterator[dict[str, str]]:
    """Where the service's tests find a server; those for Kafka bring a cluster of their own."""
    if broker == "kafka" and "KAFKA_SERVER" not in os.environ:
        yield {}
        return
    with scratch_broker(broker) as url:
        yield {"TEST_BROKER_URL": url}


def service_tests(service: Path, *arguments: str, **settings: str) -> None:
    """Run a service's tests in its folder, in a scratch folder of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        check(
            service,
            *("pytest", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider"),
            *("-q", f"--basetemp={scratch}/tests"),
            *arguments,
            # Those of the template's own tests, which the service does not have, take a second.
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
            **settings,
        )
