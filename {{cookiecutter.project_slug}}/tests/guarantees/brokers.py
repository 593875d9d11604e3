"""A service of the test's own on each broker there is, and what became of its messages."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from uuid import uuid4

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import Row, Table, select

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.inbox.dead_letters import OnDeadLetter
from app.building_blocks.inbox.table import HANDLED, RETRYING, inbox
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.main import create_app
from app.settings import Settings, load_settings
from tests.own_broker import DROPS_DUPLICATES, own_broker_url
from tests.waiting import eventually

MEMORY_URL = "memory://"
OWN_URL = os.environ.get("TEST_BROKER_URL") or load_settings().broker_url
BROKERS = ["memory"] if OWN_URL.startswith(MEMORY_URL) else ["memory", "own"]


class NoteIntegrationEvent(IntegrationEvent):
    """What the tests send; each test on a topic of its own."""

    key: ClassVar[str | None] = "pile"

    number: int = 0
    pile: str | None = None
    text: str = ""


Handler = Callable[[Any, Mediator], Awaitable[None]]
"""Of a note, or of a list of notes."""


class Handled(list[int]):
    """A handler, and the numbers of the notes that it got."""

    async def one(self, event: NoteIntegrationEvent, mediator: Mediator) -> None:
        self.append(event.number)


class Service:
    """A service with a name and a topic that no other test uses, stopped and started at will."""

    def __init__(self, settings: Settings, database: Database, broker: str) -> None:
        unique = uuid4().hex[:12]
        self.name, self.topic = f"test-{unique}", f"tests.note-{unique}.v1"
        self.note = _note_on(self.topic)
        # Whether it keeps what it confirmed while the service's process is gone.
        self.broker_stays = broker != "memory"
        # Whether it knows a message that it has already by its id, and drops the second.
        self.broker_drops_duplicates = self.broker_stays and DROPS_DUPLICATES
        self._database = database
        url = MEMORY_URL if broker == "memory" else own_broker_url()
        update = {"service_name": self.name, "broker_url": url}
        self._settings = settings.model_copy(update=update)

    def feature(self, *handlers: Handler, **options: Any) -> Feature:
        """Subscribes each of `handlers` to the topic."""
        feature = Feature("tests")
        for handler in handlers:
            feature.subscribe(self.note, handler, **options)
        return feature

    @asynccontextmanager
    async def running(
        self, *features: Feature, on_dead_letter: OnDeadLetter | None = None, **settings: Any
    ) -> AsyncIterator[FastAPI]:
        """The app, connected to its broker; the end of the block is a graceful stop."""
        app = create_app(self._settings.model_copy(update=settings), features, on_dead_letter)
        async with app.router.lifespan_context(app):
            await eventually(app.state.broker.is_connected, what="the connection to the broker")
            yield app

    def message(self, body: bytes, headers: dict[str, str]) -> BrokerMessage:
        """As another program might put it on the topic."""
        return BrokerMessage(self.topic, body, headers)

    async def rows(self, table: Table) -> Sequence[Row[Any]]:
        async with self._database.reader.connect() as connection:
            return (await connection.execute(select(table))).all()

    async def settled(self, count: int) -> None:
        """Wait until `count` inbox rows are handled or dead.

        More than `count` is an answer too, for the test to fail on.
        """

        async def look() -> bool:
            states = [row.state for row in await self.rows(inbox)]
            return RETRYING not in states and len(states) >= count

        await eventually(look, deadline=20, what=f"{count} settled inbox rows")

    async def all_handled(self, count: int) -> None:
        """Wait until `count` messages are settled, and insist that each of them is handled."""
        await self.settled(count)
        assert [row.state for row in await self.rows(inbox)] == [HANDLED] * count

    async def empty(self, table: Table) -> None:
        """Wait until `table` has no rows."""

        async def look() -> bool:
            return not await self.rows(table)

        await eventually(look, what=f"an empty {table.name}")


async def publish(app: FastAPI, *events: IntegrationEvent, **options: Any) -> None:
    """Through the outbox, all in one transaction."""
    async with app.state.mediator.unit_of_work() as uow:
        for event in events:
            uow.publish(event, **options)


async def count_duplicates(app: FastAPI) -> int:
    """Deliveries that the app has recognised as known already, by its own metrics."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        lines = (await client.get("/metrics")).text.splitlines()
    counters = (line for line in lines if line.startswith("messages_duplicate_total"))
    return sum(int(float(line.rpartition(" ")[2])) for line in counters)


def _note_on(its_topic: str) -> type[NoteIntegrationEvent]:
    class UniqueNoteIntegrationEvent(NoteIntegrationEvent):
        topic = its_topic

    return UniqueNoteIntegrationEvent
