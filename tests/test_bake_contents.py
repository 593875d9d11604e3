"""What is in a baked service of each combination, and what is not."""

import re
from fnmatch import fnmatch

import pytest
from bakery import BROKERS, COMBINATIONS, DATABASES, SOURCES, contents
from conftest import Baked
from hook_constants import constant

WORDS = {
    "sqlite": r"sqlite",
    "postgresql": r"postgres|asyncpg|psycopg|\bpg_",
    "mysql": r"mysql|mariadb|asyncmy",
    "rabbitmq": r"rabbit|amqp|aio.?pika|aiormq|pamqp",
    "kafka": r"kafka|confluent",
    "nats": r"\bnats|jetstream",
    "redis": r"redis|valkey",
}
# The only files that may differ between two choices of options.
MAY_DIFFER = (
    "app/database.py",
    "app/broker.py",
    "app/building_blocks/databases/*.py",
    "app/building_blocks/brokers/*.py",
    "migrations/versions/0003_claims_without_an_index.py",
    "tests/scratch_database.py",
    "tests/own_broker.py",
    "tests/broker/*.py",
    "tests/test_*.py",
    "nats.conf",
    ".cookiecutter.json",
    "pyproject.toml",
    "compose.yaml",
    ".env.example",
    ".github/workflows/ci.yml",
    "deploy/kubernetes/*.yaml",
    "README.md",
)


def test_every_option_has_its_words() -> None:
    assert set(WORDS) == {*DATABASES, *BROKERS} - {"memory"}


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_no_word_of_another_option_is_left(database: str, broker: str, baked: Baked) -> None:
    unwanted = [words for option, words in WORDS.items() if option not in (database, broker)]
    pattern = re.compile("|".join(unwanted), re.IGNORECASE)
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, content in contents(baked(database, broker)).items()
        for number, line in enumerate([path, *content.decode("utf-8").splitlines()])
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS[1:])
def test_an_option_changes_only_the_files_that_it_may(
    database: str, broker: str, baked: Baked
) -> None:
    default, other = contents(baked(*COMBINATIONS[0])), contents(baked(database, broker))
    different = {path for path in default | other if default.get(path) != other.get(path)}
    refused = {
        path for path in different if not any(fnmatch(path, pattern) for pattern in MAY_DIFFER)
    }
    assert not refused
    changed = {path for path in different if path in default and path in other}
    assert not {path for path in changed if fnmatch(path, "app/building_blocks/*")}
    assert not {path for path in changed if fnmatch(path, "tests/test_*")}


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_python_is_copied_byte_for_byte(database: str, broker: str, baked: Baked) -> None:
    service = baked(database, broker)
    variants = constant("post_gen_project.py", "VARIANTS")
    for path in service.rglob("*.py"):
        source = SOURCES / path.relative_to(service)
        if variant := variants.get(path.relative_to(service).as_posix()):
            chosen = SOURCES / variant.format(database=database, broker=broker)
            source = chosen if chosen.exists() else source
        assert path.read_bytes() == source.read_bytes(), path
