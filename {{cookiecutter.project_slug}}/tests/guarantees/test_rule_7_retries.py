"""Rule 7: retries live in the inbox table, durable and bounded; then the message is dead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from app.building_blocks.background import BackgroundTask
from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.mediator import Mediator
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import (
    Handler,
    consumer_of,
    count_effects,
    inbox_row,
    order_created,
    retrier_of,
    take_payment,
)
from tests.waiting import eventually

StartRetriers = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture
async def start_retriers(database: Database) -> AsyncIterator[StartRetriers]:
    """Starts the retriers of `replicas` replicas, until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(*consumers: Consumer, replicas: int = 1) -> None:
            for number in range(replicas):
                wake_up = WakeUp()
                retrier = retrier_of(database, *consumers, wake_up=wake_up)
                task = BackgroundTask(f"retrier {number}", retrier.run, wake_up)
                await stack.enter_async_context(task)

        yield start


def failing(times: int, error: Exception | None = None) -> tuple[Handler, list[int]]:
    """A handler that fails `times` times before it takes the payment, and its runs."""
    runs: list[int] = []

    async def handler(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        runs.append(len(runs) + 1)
        await take_payment(event, mediator)
        if len(runs) <= times:
            raise error or ValueError(f"run {len(runs)}")

    return handler, runs


async def settle(database: Database, message: BrokerMessage, consumer: Consumer) -> str:
    async def settled() -> str:
        state: str = (await inbox_row(database, message, consumer)).state
        return "" if state == "retrying" else state

    return await eventually(settled, deadline=20, what="an end of the retries")


@pytest.mark.parametrize("replicas", [1, 3])
async def test_exactly_max_retries_plus_one_runs_and_then_a_dead_letter(
    database: Database, start_retriers: StartRetriers, replicas: int
) -> None:
    handler, runs = failing(times=99)
    consumer, message = consumer_of(database, handler), order_created()
    await start_retriers(consumer, replicas=replicas)
    await consumer.receive(message)
    assert await settle(database, message, consumer) == "dead"
    row = await inbox_row(database, message, consumer)
    assert (len(runs), row.attempts) == (11, 11)
    assert row.last_error == "ValueError: run 11"
    assert row.payload == message.body
    assert await count_effects(database) == (0, 0)


async def test_a_retry_that_succeeds_takes_effect_once(
    database: Database, start_retriers: StartRetriers
) -> None:
    handler, runs = failing(times=3)
    consumer, message = consumer_of(database, handler), order_created()
    await start_retriers(consumer)
    await consumer.receive(message)
    assert await settle(database, message, consumer) == "handled"
    assert len(runs) == 4
    assert await count_effects(database) == (1, 1)


async def test_retries_survive_a_restart(database: Database, start_retriers: StartRetriers) -> None:
    handler, _ = failing(times=1)
    message = order_created()
    await consumer_of(database, handler).receive(message)
    # A new process: nothing is left of the first but its row.
    successor = consumer_of(database, failing(times=0)[0])
    await start_retriers(successor)
    assert await settle(database, message, successor) == "handled"


async def test_an_error_not_worth_retrying_is_a_dead_letter_at_once(database: Database) -> None:
    handler, runs = failing(times=99, error=PermissionError("never"))
    policy = RetryPolicy(do_not_retry=(OSError,))
    consumer, message = consumer_of(database, handler, retry=policy), order_created()
    await consumer.receive(message)
    row = await inbox_row(database, message, consumer)
    assert (row.state, row.attempts, len(runs)) == ("dead", 1, 1)


async def test_a_redelivery_does_not_shorten_the_wait_for_a_retry(database: Database) -> None:
    handler, runs = failing(times=99)
    policy = RetryPolicy(base_delay=3600, max_delay=3600)
    consumer, message = consumer_of(database, handler, retry=policy), order_created()
    await consumer.receive(message)
    await consumer.receive(message)
    await consumer.retry(message.headers["ce-id"])
    assert len(runs) == 1


async def test_a_handler_that_runs_out_of_time_is_a_failed_run(
    database: Database, start_retriers: StartRetriers
) -> None:
    runs: list[int] = []

    async def slow(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        runs.append(1)
        await take_payment(event, mediator)
        await asyncio.Event().wait()

    policy = RetryPolicy(max_retries=2, base_delay=0.01, max_delay=0.01, timeout=0.05)
    consumer, message = consumer_of(database, slow, retry=policy), order_created()
    await start_retriers(consumer)
    await consumer.receive(message)
    assert await settle(database, message, consumer) == "dead"
    assert (await inbox_row(database, message, consumer)).last_error.startswith("TimeoutError")
    assert len(runs) == 3
    assert await count_effects(database) == (0, 0)
