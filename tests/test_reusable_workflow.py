"""The reusable workflow: called by services, with the same steps as one that they carry."""

import json
import re
from pathlib import Path

import pytest
import workflow
from bakery import QUESTIONS, TEMPLATE, bake, cookiecutter_settings
from cookiecutter.main import cookiecutter

REUSABLE = TEMPLATE / ".github/workflows/service.yml"
CHOSEN = [("sqlite", "memory"), ("mysql", "memory"), ("sqlite", "redis"), ("postgresql", "kafka")]


@pytest.mark.parametrize(("database", "broker"), CHOSEN)
def test_it_is_called_with_what_was_chosen_and_runs_what_a_service_would(
    database: str, broker: str, tmp_path: Path
) -> None:
    calls, carries = (
        workflow.read(
            bake(tmp_path / ci, ci=ci, database=database, broker=broker)
            / ".github/workflows/ci.yml"
        )
        for ci in ("github-reusable", "github")
    )
    assert calls["on"] == carries["on"]
    [job] = calls["jobs"].values()
    assert (job["with"]["database"], job["with"]["broker"]) == (database, broker)
    reusable = workflow.read(REUSABLE)
    steps = workflow.run_steps(reusable, workflow.all_inputs(reusable, job["with"]))
    check, *scripts = [step.script for step in steps]
    assert "refuse" in check
    up = "docker compose up --detach --wait"
    for own in (step.script for step in workflow.run_steps(carries, {})):
        if own.startswith(up):
            assert [scripts.pop(0) for _ in own.removeprefix(up).split()] == [
                f"{up} {server}" for server in own.removeprefix(up).split()
            ]
        else:
            assert scripts.pop(0) == own
    assert scripts == []


def test_it_says_what_each_input_is_for() -> None:
    for name, one in workflow.read(REUSABLE)["on"]["workflow_call"]["inputs"].items():
        assert one["description"].endswith("."), name
        assert one["type"] in ("string", "boolean")
        assert one.get("required", False) != ("default" in one)


def called(service: Path) -> tuple[str, str]:
    """The repository and the release that a service calls."""
    [line] = workflow.uses(service)
    repository, path, release = re.split(r"(?:/\.github/workflows/|@)", line.split('"')[1])
    assert path == "service.yml"
    return repository, release


def test_it_is_called_in_the_release_that_a_service_records(tmp_path: Path) -> None:
    default = bake(tmp_path / "default", ci="github-reusable")
    record = json.loads((default / ".cookiecutter.json").read_text("utf-8"))
    assert called(default) == (QUESTIONS["__template_repository"], f"v{record['version']}")
    other = bake(tmp_path / "other", ci="github-reusable", __template_repository="acme/other")
    assert called(other)[0] == "acme/other"


AT_GITHUB = [
    "gh:acme/fork",
    "https://github.com/acme/fork",
    "https://github.com/acme/fork.git",
    "http://github.com/acme/fork/",
    "https://ada@github.com/acme/fork",
    "git+https://github.com/acme/fork.git",
    "ssh://git@github.com/acme/fork.git",
    "git@github.com:acme/fork.git",
    "git@github.com:acme/fork",
]
# A workflow can be called at GitHub only, so from these the template's own is.
ELSEWHERE = [
    "gl:acme/fork",
    "https://git.example/acme/fork",
    "git@git.example:acme/fork.git",
    "ssh://git@git.example/acme/fork",
    "https://git.example/github.com/acme/fork",
    "file:///srv/github.com/acme/fork",
]


@pytest.mark.parametrize("address", AT_GITHUB)
def test_it_is_called_at_github_where_the_service_was_baked_from(
    address: str, tmp_path: Path
) -> None:
    assert called(bake_from(address, tmp_path))[0] == "acme/fork"


@pytest.mark.parametrize("address", ELSEWHERE)
def test_it_is_the_templates_own_for_a_service_that_was_baked_from_elsewhere(
    address: str, tmp_path: Path
) -> None:
    repository = QUESTIONS["__template_repository"]
    assert called(bake_from(address, tmp_path))[0] == repository
    assert called(bake(tmp_path / "folder", ci="github-reusable"))[0] == repository


def bake_from(address: str, tmp_path: Path) -> Path:
    """A service that was baked from an address, with no network."""
    # In the place of a clone that cookiecutter would make.
    prefix, _, path = address.partition(":")
    clone = tmp_path / path.lstrip("/")
    clone.parent.mkdir(parents=True)
    clone.symlink_to(TEMPLATE)
    settings = cookiecutter_settings(tmp_path / "settings")
    with settings.open("a", encoding="utf-8") as file:
        file.write(f"abbreviations: {json.dumps({prefix: f'{tmp_path}/{{0}}'})}\n")
    service = cookiecutter(
        address,
        no_input=True,
        extra_context={"ci": "github-reusable"},
        output_dir=str(tmp_path / "out"),
        config_file=str(settings),
    )
    return Path(service)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"database": "oracle"}, "database is 'oracle': give sqlite, postgresql or mysql."),
        ({"broker": "zeromq; false"}, "broker is 'zeromq; false': give memory, rabbitmq, kafka"),
        ({"working-directory": "app"}, "there is no pyproject.toml: give its working-directory."),
    ],
)
def test_an_input_that_no_service_has_is_refused_in_a_sentence(
    wrong: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    service = bake(tmp_path / "refused")
    reusable = workflow.read(REUSABLE)
    given = {"database": "sqlite", "broker": "memory"} | wrong
    first = workflow.run_steps(reusable, workflow.all_inputs(reusable, given))[0]
    done = first.run(service)
    assert done.returncode != 0
    assert done.stdout.startswith("::error::")
    assert sentence in done.stdout
