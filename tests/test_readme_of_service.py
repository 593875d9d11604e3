"""Every block in a service's README does what it says."""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from bakery import bake
from make import install
from markdown import one
from shell import README_PORT, serving, shell


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return bake(tmp_path / "out")


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


MANY = """
import asyncio
from decimal import Decimal
from uuid import uuid4

from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app


class CountOrders(Command[None]):
    customers: list[str]


async def count_orders(command: CountOrders, uow: UnitOfWork) -> None:
    counted.extend(command.customers)


counted, reports = [], Feature("reports")
reports.handle(CountOrders, count_orders)

{block}


async def main() -> None:
    app = create_app(features=[reports])
    customers = [f"customer {number}" for number in range(20)]
    async with app.router.lifespan_context(app):
        async with app.state.mediator.unit_of_work() as uow:
            for customer in customers:
                uow.publish(
                    OrderCreatedIntegrationEvent(
                        order_id=uuid4(), customer=customer, amount=Decimal("1.00")
                    )
                )
        async with asyncio.timeout(20):
            while len(counted) < len(customers):
                await asyncio.sleep(0.01)
    assert sorted(counted) == sorted(customers)


asyncio.run(main())
"""


def test_many_events_are_handled_at_once_as_the_readme_says(service: Path) -> None:
    block = one(service / "README.md", "Many at once").text
    (service / "try_many.py").write_text(MANY.replace("{block}\n", block), "utf-8")
    shell(service, "alembic upgrade head; python try_many.py", PYTHONPATH=".")


def test_features_are_added_as_the_readme_says(service: Path) -> None:
    install(service)
    written = shell(service, one(service / "README.md", "Add a feature").text)
    assert "BY HAND" not in written
    shell(service, "python -m pytest -q -p no:cacheprovider tests/features && make lint")
