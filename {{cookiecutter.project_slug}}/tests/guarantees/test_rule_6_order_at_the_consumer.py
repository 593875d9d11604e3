"""Rule 6, at the consumer: with `ordered=True` later messages of a key wait for the earlier."""

import asyncio
from uuid import UUID, uuid4

from app.building_blocks.background import BackgroundTask
from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import QUICK, consumer_of, inbox_row, order_created, retrier_of
from tests.waiting import eventually


class Recorder:
    """A handler that fails for the amounts it is told to, and keeps what it did in order."""

    def __init__(self) -> None:
        self.done: list[tuple[UUID, str]] = []
        self.fails: set[str] = set()

    async def handler(self, event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        await asyncio.sleep(0)
        if event.customer in self.fails:
            raise ValueError(event.customer)
        self.done.append((event.order_id, event.customer))


def message(order_id: UUID, name: str) -> BrokerMessage:
    event = order_created(order_id)
    return BrokerMessage(
        event.topic, event.body.replace(b'"ada"', f'"{name}"'.encode()), event.headers, event.key
    )


class Replica:
    """An ordered consumer and its retrier, as they run in one process."""

    def __init__(self, database: Database, recorder: Recorder, retry: RetryPolicy = QUICK) -> None:
        wake_up = WakeUp()
        self.consumer = consumer_of(
            database, recorder.handler, retry=retry, ordered=True, wake_up=wake_up
        )
        retrier = retrier_of(database, self.consumer, wake_up=wake_up)
        self.running = BackgroundTask("retrier", retrier.run, wake_up)


async def done(recorder: Recorder, count: int) -> None:
    async def all_done() -> bool:
        return len(recorder.done) >= count

    await eventually(all_done, what=f"{count} messages handled")


async def test_later_messages_of_a_key_wait_behind_one_that_is_retried(database: Database) -> None:
    recorder = Recorder()
    replica = Replica(database, recorder)
    one, other = uuid4(), uuid4()
    recorder.fails = {"first"}
    messages = [message(one, "first"), message(one, "second"), message(other, "free")]
    async with replica.running:
        for each in messages:
            await replica.consumer.receive(each)
        await done(recorder, 1)
        assert recorder.done == [(other, "free")]
        waiting = await inbox_row(database, messages[1], replica.consumer)
        assert (waiting.state, waiting.attempts) == ("retrying", 0)
        recorder.fails = set()
        await done(recorder, 3)
    assert recorder.done == [(other, "free"), (one, "first"), (one, "second")]


async def test_a_dead_letter_no_longer_holds_up_its_key(database: Database) -> None:
    recorder = Recorder()
    recorder.fails = {"poison"}
    policy = RetryPolicy(max_retries=2, base_delay=0.01, max_delay=0.01)
    replica, key = Replica(database, recorder, policy), uuid4()
    poison = message(key, "poison")
    async with replica.running:
        await replica.consumer.receive(poison)
        await replica.consumer.receive(message(key, "next"))
        await done(recorder, 1)
    assert recorder.done == [(key, "next")]
    row = await inbox_row(database, poison, replica.consumer)
    assert (row.state, row.attempts) == ("dead", 3)


async def test_messages_of_a_key_are_handled_in_their_order_by_all_replicas_together(
    database: Database,
) -> None:
    recorder = Recorder()
    replicas = [Replica(database, recorder) for _ in range(3)]
    keys = [uuid4() for _ in range(3)]
    messages = [message(keys[n % 3], f"{n}") for n in range(60)]
    async with replicas[0].running, replicas[1].running, replicas[2].running:
        await asyncio.gather(*(replicas[0].consumer.receive(each) for each in messages))
        await done(recorder, 60)
    for key in keys:
        numbers = [int(name) for order_id, name in recorder.done if order_id == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 20


async def test_a_delivery_is_not_held_while_its_key_is_busy(database: Database) -> None:
    recorder = Recorder()
    recorder.fails = {"stuck"}
    patient = RetryPolicy(base_delay=3600, max_delay=3600)
    replica, stuck, quick = Replica(database, recorder, patient), uuid4(), uuid4()
    async with replica.running:
        # More than any broker hands out at a time.
        async with asyncio.timeout(10):
            for _ in range(50):
                await replica.consumer.receive(message(stuck, "stuck"))
            await replica.consumer.receive(message(quick, "quick"))
        await done(recorder, 1)
    assert recorder.done == [(quick, "quick")]


async def test_without_ordered_a_retried_message_holds_up_nothing(database: Database) -> None:
    recorder = Recorder()
    recorder.fails = {"first"}
    consumer = consumer_of(database, recorder.handler)
    key = uuid4()
    await consumer.receive(message(key, "first"))
    await consumer.receive(message(key, "second"))
    assert recorder.done == [(key, "second")]
