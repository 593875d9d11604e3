"""Questions, hooks and settings files know the same options."""

import itertools
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from bakery import BROKERS, COMBINATIONS, DATABASES, QUESTIONS, SOURCES, TEMPLATE
from conftest import Baked
from hook_constants import constant


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
