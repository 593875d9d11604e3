"""A consumer with a handler of the test's choice, and what its inbox says."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature, Subscription
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.inbox.dead_letters import Announcer, OnDeadLetter
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.inbox.retrier import Retrier
from app.building_blocks.inbox.table import inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.features.payments.domain import Payment
from app.features.payments.take_payment import TakePayment

QUICK = RetryPolicy(max_retries=10, base_delay=0.01, max_delay=0.02)
ONE_RETRY = RetryPolicy(max_retries=1, base_delay=0.01, max_delay=0.01)
NO_RETRY = RetryPolicy(max_retries=0)

Handler = Callable[[OrderCreatedIntegrationEvent, Mediator], Awaitable[None]]


async def take_payment(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
    """The effect that is counted: one payment row and one outbox row."""
    await mediator.send(TakePayment(order_id=event.order_id, amount=event.amount))


async def fail(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
    raise ValueError("always")


def consumer_of(
    database: Database,
    handler: Handler,
    *,
    retry: RetryPolicy = QUICK,
    name: str = "tests",
    ordered: bool = False,
    on_dead_letter: OnDeadLetter | None = None,
    wake_up: WakeUp | None = None,
    environments: Environments | None = None,
    features: Sequence[Feature] = FEATURES,
) -> Consumer:
    """As one replica of the service would build it."""
    dialect = database.dialect
    mediator = Mediator(Wiring(features).routes, database, Outbox(dialect, "tests", WakeUp()))
    subscription = Subscription(name, OrderCreatedIntegrationEvent, handler, retry, ordered)
    announcer = Announcer(on_dead_letter)
    inbox, metrics = Inbox(dialect), Metrics()
    return Consumer(
        "svc",
        subscription,
        inbox,
        mediator,
        metrics,
        announcer,
        retry,
        wake_up or WakeUp(),
        environments=environments,
    )


def retrier_of(
    database: Database,
    *consumers: Consumer,
    wake_up: WakeUp | None = None,
    environments: Environments | None = None,
) -> Retrier:
    inbox, wake_up = Inbox(database.dialect), wake_up or WakeUp()
    return Retrier(database, inbox, consumers, wake_up, environments, poll_interval=0.01)


def order_created(order_id: UUID | None = None, **headers: str) -> BrokerMessage:
    """A message as the broker delivers it."""
    event = OrderCreatedIntegrationEvent(
        order_id=order_id or uuid4(), customer="ada", amount=Decimal("1.00")
    )
    return BrokerMessage(
        event.topic,
        event.model_dump_json().encode(),
        {"ce-id": str(uuid4()), "ce-type": event.topic, **headers},
        event.ordering_key,
    )


async def count_effects(database: Database) -> tuple[int, int]:
    """Payments taken, and outbox rows written with them."""
    async with database.reader.connect() as connection:
        payments = await connection.scalar(select(func.count()).select_from(Payment))
        rows = await connection.scalar(select(func.count()).select_from(outbox))
    return payments or 0, rows or 0


async def inbox_row(database: Database, message: BrokerMessage, consumer: Consumer) -> Any:
    async with database.reader.connect() as connection:
        rows = await connection.execute(
            select(inbox).where(
                inbox.c.message_id == message.headers["ce-id"], inbox.c.consumer == consumer.name
            )
        )
        return rows.one_or_none()
