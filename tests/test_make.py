"""The targets of a service's Makefile, and its commit hooks."""

import re
from pathlib import Path

import pytest
import workflow
from bakery import bake, contents
from make import CACHES, OFFLINE, install, make
from programs import Done, finish
from service import RUN_DEADLINE, environment


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A service with its tools, in a repository of its own."""
    service = bake(tmp_path / "make")
    install(service)
    git(service, "init", "--quiet")
    git(service, "add", "--all")
    return service


def git(service: Path, *arguments: str) -> Done:
    """Run git as somebody without settings; commit hooks find caches, and no network."""
    person = {"GIT_AUTHOR_NAME": "ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    person |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in person.items()}
    no_settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    hooks = {"PRE_COMMIT_HOME": str(service.parent / "pre-commit"), **CACHES, **OFFLINE}
    env = environment(**person, **no_settings, **hooks)
    return finish(["git", *arguments], folder=service, env=env, deadline=RUN_DEADLINE)


def test_help_lists_every_target(service: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (service / "Makefile").read_text("utf-8"), re.MULTILINE)
    listed = [line.split()[0] for line in make(service).stdout.splitlines()]
    assert listed == targets


def test_check_runs_each_step_of_ci_but_the_image(service: Path) -> None:
    makefile = (service / "Makefile").read_text("utf-8")
    assert "\ncheck: lint types schema test  ## " in makefile
    assert "\nschema: migrate  ## " in makefile
    done = make(service, "--dry-run", "check").stdout
    job = workflow.read(service / ".github/workflows/ci.yml")["jobs"]["check"]
    for script in (step["run"] for step in job["steps"] if "run" in step):
        target = script.removeprefix("make ")
        commands = script if target == script else make(service, "--dry-run", target).stdout
        for command in commands.splitlines():
            assert command in done or "Nothing to be done" in command, script


def test_the_pages_speak_of_ci_only_where_there_is_one(service: Path, tmp_path: Path) -> None:
    without = bake(tmp_path / "without", ci="none")
    for page in ("README.md", "AGENTS.md", "Makefile", ".pre-commit-config.yaml"):
        assert not re.search(r"\bCI\b", (without / page).read_text("utf-8")), page
    assert "; CI builds the container image, too." in (service / "README.md").read_text("utf-8")


def test_format_finds_nothing_to_change(service: Path) -> None:
    before = contents(service)
    done = make(service, "format")
    assert done.returncode == 0, done.stdout
    assert contents(service) == before


def test_a_target_without_its_name_says_what_is_missing(service: Path, tmp_path: Path) -> None:
    before = contents(service)
    # A variable of somebody's shell is no name.
    shell = {"NAME": "parcels", "FEATURE": "orders", "AGGREGATE": "Parcel", "EVENT": "OrderSent"}
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'scratch.db'}"}
    for target, example in {
        "feature": "'shipments'",
        "command": "'shipments'",
        "migration": 'NAME="add shipments"',
    }.items():
        done = make(service, target, **database, **shell)
        assert done.returncode != 0
        assert example in done.stdout
        assert "Traceback" not in done.stdout
    assert contents(service) == before


def test_the_hooks_pass_a_fresh_service_and_stop_a_bad_commit(service: Path) -> None:
    assert make(service, "hooks").returncode == 0
    first = git(service, "commit", "--message", "the service as it was generated")
    assert first.returncode == 0, first.stdout
    assert first.stdout.count("Passed") == 5, first.stdout
    bad = {
        "app/features/orders/bad_style.py": "import os\n",
        "app/features/orders/bad_rule.py": "from app.features.payments.domain import Payment\n",
        "app/features/orders/bad_type.py": "AMOUNT: int = 'one'\n",
        "conflict.txt": f"{'<' * 7} ours\n",
    }
    for path, text in bad.items():
        (service / path).write_text(text, "utf-8")
    git(service, "add", "--all")
    second = git(service, "commit", "--message", "breaks the rules")
    assert second.returncode != 0
    assert second.stdout.count("Failed") == 5, second.stdout
    assert "the service as it was" in git(service, "log", "--oneline").stdout
    assert "breaks the rules" not in git(service, "log", "--oneline").stdout
