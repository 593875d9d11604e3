"""A handler and its log lines tell which request and which message they are of."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import redirect_stderr

import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.context import current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.hops import TRACE, hops, post
from tests.waiting import eventually


class Witness:
    """A subscriber that notes which context it ran in, and logs a line."""

    def __init__(self) -> None:
        self.contexts: dict[str, dict[str, str]] = {}
        self.feature = Feature("witness")
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.when_order_created)

    async def when_order_created(
        self, event: OrderCreatedIntegrationEvent, mediator: Mediator
    ) -> None:
        structlog.get_logger("witness").warning("seen", order_id=str(event.order_id))
        self.contexts[str(event.order_id)] = dict(current_context())


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest_asyncio.fixture
async def app(
    settings: Settings, database: Database, witness: Witness, log: io.StringIO
) -> AsyncIterator[FastAPI]:
    """The service with a witness; its log lines are JSON and go to `log`."""
    settings = settings.model_copy(update={"log_format": "json"})
    with redirect_stderr(log):
        app = create_app(settings, [*FEATURES, witness.feature])
    async with app.router.lifespan_context(app):
        yield app


async def test_a_handler_runs_in_the_context_of_its_message(
    client: AsyncClient, database: Database, witness: Witness
) -> None:
    order_id = await post(client, **{"X-Request-ID": "seven", "traceparent": TRACE})
    created, *_ = await hops(database, order_id)

    async def seen() -> dict[str, str]:
        return witness.contexts.get(order_id, {})

    assert await eventually(seen, what="a witness") == {
        "correlation-id": "seven",
        "causation-id": created.message_id,
        "traceparent": TRACE,
    }


async def test_the_log_lines_of_a_handler_tell_whose_they_are(
    client: AsyncClient, database: Database, witness: Witness, log: io.StringIO
) -> None:
    order_id = await post(client, **{"X-Request-ID": "seven"})
    created, *_ = await hops(database, order_id)

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [line] = [line for line in lines if line["event"] == "seen"]
    told = {name: line[name] for name in ("order_id", "correlation_id", "message_id", "consumer")}
    assert told == {
        "order_id": order_id,
        "correlation_id": "seven",
        "message_id": created.message_id,
        "consumer": "test-service.witness.when_order_created",
    }
