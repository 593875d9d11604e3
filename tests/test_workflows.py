"""The GitHub workflows, a service's and this template's own: what linters say, what they may do."""

import re
from pathlib import Path
from typing import Any

import pytest
import workflow
import yaml
from another_language import actionlint_findings
from bakery import TEMPLATE, bake
from linters import workflow_findings

pytestmark = pytest.mark.xdist_group("workflows")
GITHUB = ["github", "github-reusable"]
CHOSEN = [("sqlite", "memory"), ("mysql", "memory"), ("sqlite", "kafka"), ("postgresql", "nats")]
MISTAKES = {
    "an action by its tag": ("actions/checkout@3d3c42e5", "actions/checkout@v7 #", "unpinned-uses"),
    "a key that is mistyped": ("timeout-minutes:", "timeout-minute:", "'timeout-minute' was unex"),
    "no timeout": ("    timeout-minutes: 20\n", "", "'timeout-minutes' is a required property"),
    "every permission": ("permissions: {}", "permissions: write-all", "excessive-permissions"),
    "a stranger's text in a shell": (
        *("run: make test", "run: make ${{ github.head_ref }}"),
        "template-injection",
    ),
}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Repositories with workflows: the template, and services of each kind."""
    into = tmp_path_factory.mktemp("repositories")
    return [TEMPLATE] + [
        bake(into / f"{ci}-{database}-{broker}", ci=ci, database=database, broker=broker)
        for ci in GITHUB
        for database, broker in CHOSEN
    ]


def test_no_linter_finds_anything(repositories: list[Path]) -> None:
    assert workflow_findings(*repositories) == ""


def test_actionlint_finds_nothing(repositories: list[Path]) -> None:
    files = [file for one in repositories for file in one.glob(".github/workflows/*.yml")]
    assert actionlint_findings(*{file.read_text("utf-8") for file in files}) == []


@pytest.mark.parametrize(("right", "wrong", "finding"), MISTAKES.values(), ids=MISTAKES)
def test_the_linters_would_find_a_mistake(
    right: str, wrong: str, finding: str, tmp_path: Path
) -> None:
    service = bake(tmp_path / "mistake")
    file = service / ".github/workflows/ci.yml"
    text = file.read_text("utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), "utf-8")
    assert finding in workflow_findings(service)


def test_actionlint_would_find_an_input_that_is_mistyped() -> None:
    text = (TEMPLATE / ".github/workflows/service.yml").read_text("utf-8")
    [found] = actionlint_findings(text.replace("${{ inputs.broker }}", "${{ inputs.brokr }}"))
    assert "brokr" in found["message"]


def test_every_action_is_a_commit_and_the_same_everywhere(repositories: list[Path]) -> None:
    pins = {line for repository in repositories for line in workflow.uses(repository)}
    calls = {line for line in pins if "/.github/workflows/service.yml@" in line}
    assert len(calls) == 1
    for pin in pins - calls:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), pin
    assert len({pin.split("@")[0] for pin in pins}) == len(pins)


def test_nothing_may_do_more_than_read_the_code(repositories: list[Path]) -> None:
    for repository in repositories:
        for file in repository.glob(".github/workflows/*.yml"):
            read = workflow.read(file)
            assert read["permissions"] == {}
            for job in read["jobs"].values():
                assert job["permissions"] == {"contents": "read"}
            # A group of its own in the one that is called would cancel its caller.
            assert ("concurrency" in read) == ("workflow_call" not in read["on"])


def test_dependabot_looks_after_all_that_has_versions(tmp_path: Path) -> None:
    service = bake(tmp_path / "dependabot")
    settings = yaml.safe_load((service / ".github/dependabot.yml").read_text("utf-8"))
    looked_after = {one["package-ecosystem"]: one["directory"] for one in settings["updates"]}
    assert looked_after == dict.fromkeys(["pip", "github-actions", "docker", "docker-compose"], "/")
    for file in ("pyproject.toml", ".github/workflows/ci.yml", "Dockerfile", "compose.yaml"):
        assert (service / file).is_file()


def test_a_service_without_ci_has_no_trace_of_github(tmp_path: Path) -> None:
    assert not (bake(tmp_path / "none", ci="none") / ".github").exists()


def test_the_templates_own_workflow_leaves_out_no_test() -> None:
    job: dict[str, Any] = workflow.read(TEMPLATE / ".github/workflows/ci.yml")["jobs"]["test"]
    matrix = job["strategy"]["matrix"]
    parts = {one["part"]: one["arguments"].split() for one in matrix["include"]}
    ignored = {word.removeprefix("--ignore=") for word in parts.pop("everything else")}
    named = {word for words in parts.values() for word in words}
    assert ignored == named | set(matrix["arguments"][0].split())
    assert all((TEMPLATE / file).is_file() for file in ignored)
