"""Rule 7: a message that was given up is kept, and can be replayed."""

import asyncio
from typing import Any

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import state_of
from app.building_blocks.wake_up import WakeUp
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import (
    NO_RETRY,
    ONE_RETRY,
    consumer_of,
    count_effects,
    fail,
    inbox_row,
    order_created,
    retrier_of,
    take_payment,
)
from tests.waiting import eventually


async def replay(database: Database, retrying: WakeUp | None = None, **wanted: Any) -> int:
    actions = Actions(database, WakeUp(), retrying or WakeUp())
    return await actions.retry(state_of("inbox", "dead"), MessageFilter(**wanted), by="ada")


async def test_a_replayed_letter_gets_all_its_retries_again(database: Database) -> None:
    runs: list[int] = []

    async def handler(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        runs.append(1)
        if len(runs) < 4:
            raise ValueError("not yet")
        await take_payment(event, mediator)

    consumer, message = consumer_of(database, handler, retry=ONE_RETRY), order_created()
    wake_up = WakeUp()
    retrier = retrier_of(database, consumer, wake_up=wake_up)
    async with BackgroundTask("retrier", retrier.run, wake_up):
        await consumer.receive(message)

        async def is_in(state: str) -> bool:
            return bool((await inbox_row(database, message, consumer)).state == state)

        await eventually(lambda: is_in("dead"), what="the dead letter")
        assert len(runs) == 2
        assert await replay(database, wake_up, message_id=message.headers["ce-id"]) == 1
        await eventually(lambda: is_in("handled"), what="the replay handled")
    assert len(runs) == 4
    assert await count_effects(database) == (1, 1)


async def test_a_replay_that_succeeds_at_once_runs_once(database: Database) -> None:
    runs: list[int] = []

    async def handler(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("the first time")
        await take_payment(event, mediator)

    consumer, message = consumer_of(database, handler, retry=NO_RETRY), order_created()
    await consumer.receive(message)
    assert await replay(database) == 1
    for _ in range(3):
        await consumer.retry(message.headers["ce-id"])
    row = await inbox_row(database, message, consumer)
    assert (row.state, row.attempts, len(runs)) == ("handled", 1, 2)
    assert await count_effects(database) == (1, 1)


async def test_two_people_who_press_replay_at_once_replay_it_once(database: Database) -> None:
    consumer, message = consumer_of(database, fail, retry=NO_RETRY), order_created()
    await consumer.receive(message)
    found = await asyncio.gather(*(replay(database) for _ in range(5)))
    assert sorted(found) == [0, 0, 0, 0, 1]


async def test_a_filter_replays_only_what_fits(database: Database) -> None:
    one = consumer_of(database, fail, retry=NO_RETRY, name="one")
    other = consumer_of(database, fail, retry=NO_RETRY, name="other")
    message = order_created()
    await one.receive(message)
    await other.receive(message)
    assert await replay(database, consumer="svc.one.fail", topic=message.topic) == 1
    assert (await inbox_row(database, message, one)).state == "retrying"
    assert (await inbox_row(database, message, other)).state == "dead"
    assert await replay(database, topic="unknown.v1") == 0
    assert await replay(database) == 1


async def test_a_slow_retry_runs_once_at_a_time_however_many_replicas_look(
    database: Database,
) -> None:
    running, most, runs = 0, 0, 0

    async def slow(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        nonlocal running, most, runs
        runs += 1
        if runs == 1:
            raise ValueError("once")
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.5)
        running -= 1

    replicas = [consumer_of(database, slow, retry=ONE_RETRY) for _ in range(3)]
    message = order_created()
    await replicas[0].receive(message)

    async def all_look() -> bool:
        await asyncio.gather(*(each.retry(message.headers["ce-id"]) for each in replicas))
        return bool((await inbox_row(database, message, replicas[0])).state == "handled")

    await eventually(all_look, what="the slow retry")
    assert (most, runs) == (1, 2)
