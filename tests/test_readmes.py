"""Every block in the template's and in a service's Markdown does what it says."""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from bakery import SOURCES, TEMPLATE, bake
from clone import copy_template, git
from make import install
from markdown import Block, blocks
from shell import README_PORT, serving, shell

# Blocks by the heading above them, and which test does what they say. Those at last need what
# cannot be had everywhere (an engine for containers, a cluster): their parts are checked there.
OF_TEMPLATE = {
    "cookiecutter-fastapi-events": "tests/test_first_run.py",
    "Your own service": "test_a_service_is_baked_as_the_readme_says",
    "Taking a newer version": "test_a_newer_version_is_taken_as_the_readme_says",
    "Work on the template": ".ci/run",
}
OF_SERVICE = {
    "Run it": "test_a_service_runs_as_its_readme_says",
    "Operator pages": "test_the_operator_pages_are_turned_on_as_the_readme_says",
    "Traces": "test_a_service_runs_as_its_readme_says",
    "Where things are": "test_the_places_that_the_readme_names_are_there",
    "Policies, delays, headers": "test_policies_delays_and_headers_work_as_the_readme_says",
    "When something waits": f"{SOURCES.name}/tests/command_line/test_runbook.py",
    "Add a feature": "test_features_are_added_as_the_readme_says",
    "Add a command, its event and a subscriber": "tests/test_recipe.py",
    "Put it into production": "tests/test_container.py",
    "Kubernetes": "tests/test_kubernetes.py",
}


def one(file: Path, heading: str, number: int = 0) -> Block:
    return [block for block in blocks(file) if block.heading == heading][number]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return bake(tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "known"),
    [
        (TEMPLATE / "README.md", OF_TEMPLATE),
        (TEMPLATE / "CONTRIBUTING.md", {}),
        (TEMPLATE / "CHANGELOG.md", {}),
        (SOURCES / "README.md", OF_SERVICE),
        (SOURCES / "AGENTS.md", {}),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_a_test_does_what_each_block_says(file: Path, known: dict[str, str]) -> None:
    here = Path(__file__).read_text("utf-8")
    for block in blocks(file):
        done_by = known[block.heading]
        assert f"def {done_by}(" in here or (TEMPLATE / done_by).is_file(), block.heading


def test_ci_runs_the_tests_as_the_readme_says() -> None:
    command = one(TEMPLATE / "README.md", "Work on the template").text
    assert (TEMPLATE / ".ci" / "run").read_text("utf-8").endswith(f"exec {command}")


def test_a_service_is_baked_as_the_readme_says(tmp_path: Path) -> None:
    text = one(TEMPLATE / "README.md", "Your own service").text
    command = text.replace("path/to/cookiecutter-fastapi-events", f"'{TEMPLATE}' --no-input")
    shell(tmp_path, command, COOKIECUTTER_CONFIG=os.devnull)
    assert (tmp_path / "my-service" / "app" / "main.py").is_file()


def test_a_newer_version_is_taken_as_the_readme_says(tmp_path: Path) -> None:
    repository = copy_template(tmp_path / "template.git")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "The template")
    text = one(TEMPLATE / "README.md", "Taking a newer version").text
    (tmp_path / "work").mkdir()
    url = f"file://{repository.as_posix()}"
    shell(tmp_path / "work", text.replace("path/to/cookiecutter-fastapi-events", url))
    kept = json.loads((tmp_path / "work" / "my-service" / ".cruft.json").read_text("utf-8"))
    assert kept["commit"] == git(repository, "rev-parse", "HEAD").strip()


def test_a_service_runs_as_its_readme_says(service: Path) -> None:
    readme = service / "README.md"
    make_run, by_hand, orders = (one(readme, "Run it", number).text for number in range(3))
    # Without the tests' own environment: what the block installs has to do.
    with serving(service, by_hand, PATH=os.environ["PATH"]) as url:
        created, listed = asked(service, orders, url)
        assert created["status"] == "created"
        assert [order["id"] for order in listed["items"]] == [created["id"]]
    with serving(service, make_run, PATH=os.environ["PATH"]) as url:
        _, listed = asked(service, orders, url)
        assert len(listed["items"]) == 1, "the block asks for one, the newest"
    with serving(service, one(readme, "Traces").text, PATH=os.environ["PATH"]) as url:
        created, _ = asked(service, orders, url)
        assert created["status"] == "created", "nobody listens for the traces, and no matter"


def test_the_operator_pages_are_turned_on_as_the_readme_says(service: Path) -> None:
    install(service)
    with serving(service, one(service / "README.md", "Operator pages").text) as url:
        asked_by = {"accept": "text/html"}
        answer = httpx.get(f"{url}/ops", headers=asked_by, follow_redirects=True)
        assert "Log in" in answer.text


def asked(service: Path, block: str, url: str) -> list[Any]:
    """What the commands of a block were answered, each with JSON."""
    answer = shell(service, block.replace(f"http://{README_PORT}", url))
    decoder, found = json.JSONDecoder(), list[Any]()
    while answer.strip():
        value, end = decoder.raw_decode(answer.strip())
        found.append(value)
        answer = answer.strip()[end:]
    return found


def test_the_places_that_the_readme_names_are_there(service: Path) -> None:
    named = re.findall(r"^ *([\w./]+)", one(service / "README.md", "Where things are").text, re.M)
    missing = [
        name
        for name in named
        if not (service / name).exists() and not (service / "app/features" / name).exists()
    ]
    assert not missing


POLICIES = """
import asyncio
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

from sqlalchemy import select

from app.building_blocks.errors import DomainError
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from app.features.orders.feature import orders
from app.features.orders.subscribers import when_payment_taken
from app.features.payments.integration_events import PaymentTakenIntegrationEvent
from app.main import create_app
from uuid import UUID


class ReminderIntegrationEvent(IntegrationEvent):
    topic = "tests.reminder.v1"
    order_id: UUID


async def main() -> None:
    app, order = create_app(), SimpleNamespace(id=uuid4())
    async with app.router.lifespan_context(app):
        async with app.state.mediator.unit_of_work() as uow:
{block}
        async with app.state.mediator.database.reader.connect() as connection:
            [row] = await connection.execute(select(outbox))
    assert row.topic == "tests.reminder.v1" and row.available_at is not None
    first, second = orders.subscriptions[-2:]
    assert first.retry == RetryPolicy(max_retries=3, timeout=10)
    assert second.do_not_retry == (DomainError,)


asyncio.run(main())
"""


def test_policies_delays_and_headers_work_as_the_readme_says(service: Path) -> None:
    block = one(service / "README.md", "Policies, delays, headers").text
    indented = "".join(f"            {line}\n" for line in block.splitlines())
    (service / "try_it.py").write_text(POLICIES.replace("{block}\n", indented), "utf-8")
    shell(service, "alembic upgrade head; python try_it.py", PYTHONPATH=".")


def test_features_are_added_as_the_readme_says(service: Path) -> None:
    install(service)
    written = shell(service, one(service / "README.md", "Add a feature").text)
    assert "BY HAND" not in written
    shell(service, "python -m pytest -q -p no:cacheprovider tests/features && make lint")
