"""Deployments of one service beside each other: a default one, and canaries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from app.building_blocks.background import BackgroundTask
from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.inbox.table import inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.replica_table import replicas
from app.building_blocks.operations.reporter import Reporter
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import (
    QUICK,
    consumer_of,
    order_created,
    retrier_of,
    take_payment,
)
from tests.waiting import eventually


class Deployment:
    """One replica in an environment, "" for the default one: consumer, retrier and heartbeat.

    `handled` has the customer of each order that it got. For the customers in `fails` it raises.
    """

    def __init__(
        self,
        database: Database,
        environment: str = "",
        *,
        retry: RetryPolicy = QUICK,
        ordered: bool = False,
        name: str = "tests",
    ) -> None:
        self.database = database
        self.environments = Environments(environment)
        self.handled: list[str] = []
        self.fails: set[str] = set()
        self._wake_up = WakeUp()
        self.consumer = consumer_of(
            database,
            self._handle,
            retry=retry,
            name=name,
            ordered=ordered,
            wake_up=self._wake_up,
            environments=self.environments,
        )
        self._retrier = retrier_of(
            database, self.consumer, wake_up=self._wake_up, environments=self.environments
        )
        self._reporter = Reporter(
            database,
            Metrics(),
            {},
            WakeUp(),
            environments=self.environments,
            consumers=[self.consumer.name],
        )

    async def beat(self) -> None:
        """Tell that it lives, and see who else does."""
        await self._reporter.report()

    @asynccontextmanager
    async def retrying(self) -> AsyncIterator[None]:
        async with BackgroundTask("retrier", self._retrier.run, self._wake_up):
            yield

    async def _handle(self, event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        self.handled.append(event.customer)
        if event.customer in self.fails:
            raise ValueError("the handler is broken")
        await take_payment(event, mediator)


async def meet(*deployments: Deployment) -> None:
    """All live, and know it of each other."""
    for _ in range(2):
        for one in deployments:
            await one.beat()


async def fall_silent(database: Database, environment: str, seconds: float = 21) -> None:
    """Nothing was heard of its replicas for so long."""
    async with database.begin() as connection:
        now = await database.now(connection)
        silent = update(replicas).where(replicas.c.environment == environment)
        await connection.execute(silent.values(seen_at=now - timedelta(seconds=seconds)))


def order(
    customer: str, environment: str | None = None, *, order_id: UUID | None = None
) -> BrokerMessage:
    message = order_created(order_id, **({"environment": environment} if environment else {}))
    body = message.body.replace(b'"ada"', f'"{customer}"'.encode())
    return BrokerMessage(message.topic, body, message.headers, message.key)


async def settled(database: Database, count: int) -> None:
    async def all_handled() -> bool:
        async with database.reader.connect() as connection:
            states = list(await connection.scalars(select(inbox.c.state)))
        return states == ["handled"] * count

    await eventually(all_handled, what=f"{count} handled messages")


async def handled_at(at: Deployment, customer: str) -> None:
    async def handled() -> bool:
        return customer in at.handled

    await eventually(handled, what=f"{customer} handled")
