"""A service that is traced, with one handler that fails at its first run."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI

from app.building_blocks.context import current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.tracing.spans import Spans


class Flaky:
    """Fails at its first run, and tells in which context it ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.contexts: list[dict[str, str]] = []
        self.feature = Feature("flaky")
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.when_order_created)

    async def when_order_created(
        self, event: OrderCreatedIntegrationEvent, mediator: Mediator
    ) -> None:
        self.runs += 1
        self.contexts.append(dict(current_context()))
        if self.runs == 1:
            raise LookupError(f"secret of {event.customer}")


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest_asyncio.fixture
async def app(
    settings: Settings, database: Database, spans: Spans, flaky: Flaky
) -> AsyncIterator[FastAPI]:
    app = create_app(settings, [*FEATURES, flaky.feature], spans=spans.provider)
    async with app.router.lifespan_context(app):
        yield app
