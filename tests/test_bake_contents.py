"""What is in a baked service, and what is not."""

import ast
import itertools
import json
import re
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from bakery import BROKERS, DATABASES, QUESTIONS, SOURCES, TEMPLATE, bake, bake_copy, contents
from clone import copy_template
from conftest import Baked

COMBINATIONS = list(itertools.product(DATABASES, BROKERS))
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
CACHES = (
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".import_linter_cache",
    ".hypothesis",
)


def constant(hook: str, name: str) -> Any:
    """The value of a constant in a hook, read without running the hook."""
    for statement in ast.parse((TEMPLATE / "hooks" / hook).read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise AssertionError(f"{hook} has no {name}")


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


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_no_delimiter_cache_or_empty_folder_is_left(
    database: str, broker: str, baked: Baked
) -> None:
    service = baked(database, broker)
    # GitHub's own expressions are written ${{ ... }}; what is copied as it is has its own signs.
    anywhere, where_rendered = r"(?<!\.)cookiecutter(?!-fastapi-events)", r"|\{%|\{#|(?<!\$)\{\{"
    copied: list[str] = QUESTIONS["_copy_without_render"]
    for path, content in contents(service).items():
        text = content.decode("utf-8")
        is_copied = any(fnmatch(path, pattern) for pattern in copied)
        delimiter = re.compile(anywhere + ("" if is_copied else where_rendered))
        assert not delimiter.search(text), f"{path}: {delimiter.findall(text)}"
        assert "\r" not in text, path
        assert text.endswith("\n") or not text, f"{path} does not end its last line"
        assert not text.endswith("\n\n"), f"{path} ends with an empty line"
    for folder in (path for path in service.rglob("*") if path.is_dir()):
        assert folder.name not in CACHES
        assert any(folder.iterdir()), f"{folder} is empty"
    assert not list(service.rglob("options"))


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


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_the_settings_files_can_be_read(database: str, broker: str, baked: Baked) -> None:
    service = baked(database, broker)
    tomllib.loads((service / "pyproject.toml").read_text("utf-8"))
    workflow = yaml.safe_load((service / ".github/workflows/ci.yml").read_text("utf-8"))
    servers = {"database"} if database != "sqlite" else set()
    servers |= {"broker"} if broker != "memory" else set()
    scripts = [step.get("run", "") for step in workflow["jobs"]["check"]["steps"]]
    up = "docker compose up --detach --wait "
    started = [name for line in scripts if line.startswith(up) for name in line[len(up) :].split()]
    assert set(started) == servers
    compose = yaml.safe_load((service / "compose.yaml").read_text("utf-8"))
    assert set(compose["services"]) == servers | {"migrate", "service"}
    waits_for = set(compose["services"]["service"]["depends_on"]) | set(
        compose["services"]["migrate"].get("depends_on", {})
    )
    assert waits_for == servers | {"migrate"}
    assert all("healthcheck" in compose["services"][server] for server in servers)


def test_the_template_itself_can_be_read_without_baking() -> None:
    tomllib.loads((SOURCES / "pyproject.toml").read_text("utf-8"))
    for path in SOURCES.rglob("*.py"):
        ast.parse(path.read_text("utf-8"))


def test_baking_twice_gives_the_same_bytes_and_modes(tmp_path: Path) -> None:
    first = bake(tmp_path / "first", database="postgresql", broker="rabbitmq")
    started = time.monotonic()
    second = bake(tmp_path / "second", database="postgresql", broker="rabbitmq")
    print(f"one bake: {time.monotonic() - started:.2f} s")
    assert contents(first) == contents(second)
    modes = [
        {path.relative_to(root): path.stat().st_mode for path in root.rglob("*")}
        for root in (first, second)
    ]
    assert modes[0] == modes[1]


def test_the_template_holds_no_caches() -> None:
    found = [path for path in SOURCES.rglob("*") if path.name in CACHES or path.suffix == ".pyc"]
    assert not found, "baked into every service: delete them and set PYTHONDONTWRITEBYTECODE=1"


def test_no_cache_of_the_template_is_baked_into_a_service(tmp_path: Path) -> None:
    template = copy_template(tmp_path / "template")
    for folder in ("", "app/features/orders", "migrations", "scaffold", "tests/options"):
        for name in CACHES:
            cache = template / SOURCES.name / folder / name
            (cache / "deep").mkdir(parents=True)
            (cache / "deep" / "cached.json").write_text("{{ no template", "utf-8")
    with_caches = bake_copy(template, tmp_path / "with-caches")
    assert contents(with_caches) == contents(bake(tmp_path / "without"))
    assert not [path for path in with_caches.rglob("*") if path.name in CACHES]


def test_the_service_has_a_name_of_its_own_and_pip_asks_no_index_for_it(baked: Baked) -> None:
    for database, broker in COMBINATIONS:
        text = (baked(database, broker) / "pyproject.toml").read_text("utf-8")
        project = tomllib.loads(text)
        # A group that named the service itself would be looked up by `pip install --group`.
        assert "dependency-groups" not in project
        name = f"{baked(database, broker).name}-application"
        assert project["project"]["name"] == name
        assert text.count(name) == 1


def test_the_hooks_know_the_same_options_as_the_questions() -> None:
    choices = constant("pre_gen_project.py", "CHOICES")
    assert {name: list(options) for name, options in choices.items()} == {
        name: options
        for name, options in QUESTIONS.items()
        if isinstance(options, list) and name[0] != "_"
    }
    files = constant("post_gen_project.py", "FILES_OF_OPTION")
    assert set(files) == {*DATABASES, *BROKERS, "github", "github-reusable"} - {"memory"}
    assert set(WORDS) == {*DATABASES, *BROKERS} - {"memory"}
    unusable = constant("post_gen_project.py", "FILES_NOT_FOR_OPTION")
    for file in itertools.chain.from_iterable([*files.values(), *unusable.values()]):
        assert (SOURCES / file).exists(), f"the hook names {file}, which the template has not"
    variants = constant("post_gen_project.py", "VARIANTS")
    assert all((SOURCES / module).is_file() for module in variants)
    # A variant is a file for some choices of one question; the others keep the module itself.
    possible = {
        variant.format(**dict.fromkeys(choices, option))
        for variant in variants.values()
        for name, options in choices.items()
        if f"{{{name}}}" in variant
        for option in options
    }
    folders = {SOURCES / Path(variant).parent for variant in variants.values()}
    there = {
        path.relative_to(SOURCES).as_posix() for folder in folders for path in folder.iterdir()
    }
    assert {path for path in there if not path.endswith("__init__.py")} <= possible


def test_every_question_and_choice_has_a_label() -> None:
    labels = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["__prompts__"]
    for question, answer in QUESTIONS.items():
        if question.startswith("_"):
            continue
        if isinstance(answer, list):
            assert set(labels[question]) == {"__prompt__", *answer}
        else:
            assert labels[question]


def test_the_shared_environment_is_what_the_services_ask_for(baked: Baked) -> None:
    wanted: set[str] = set()
    for database, broker in COMBINATIONS:
        project = tomllib.loads((baked(database, broker) / "pyproject.toml").read_text("utf-8"))
        wanted |= set(project["project"]["dependencies"])
        wanted |= set(project["project"]["optional-dependencies"]["dev"])
    extras = {line.split("]")[0].split("[")[0] for line in wanted if "[" in line}
    wanted = {line for line in wanted if "[" in line or re.split(r"[<>=]", line)[0] not in extras}
    lines = (TEMPLATE / "tests" / "requirements.txt").read_text("utf-8").split("\n\n")[1]
    assert wanted == {line for line in lines.splitlines() if not line.startswith("#")}
