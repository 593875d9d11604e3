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
from tests.guarantees.consuming import consumer_of, inbox_row, order_created, retrier_of
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


async def test_later_messages_of_a_key_wait_behind_one_that_is_retried(database: Database) -> None:
    recorder = Recorder()
    consumer = consumer_of(database, recorder.handler, ordered=True)
    one, other = uuid4(), uuid4()
    recorder.fails = {"first"}
    messages = [message(one, "first"), message(one, "second"), message(other, "free")]
    for each in messages:
        await consumer.receive(each)
    assert recorder.done == [(other, "free")]
    waiting = await inbox_row(database, messages[1], consumer)
    assert (waiting.state, waiting.attempts) == ("retrying", 0)

    recorder.fails = set()
    wake_up = WakeUp()
    retrier = retrier_of(database, consumer, wake_up=wake_up)
    async with BackgroundTask("retrier", retrier.run, wake_up):

        async def all_done() -> bool:
            return len(recorder.done) == 3

        await eventually(all_done, what="both messages of the key")
    assert recorder.done == [(other, "free"), (one, "first"), (one, "second")]


async def test_a_dead_letter_no_longer_holds_up_its_key(database: Database) -> None:
    recorder = Recorder()
    recorder.fails = {"poison"}
    policy = RetryPolicy(max_retries=2, base_delay=0.01, max_delay=0.01)
    consumer = consumer_of(database, recorder.handler, retry=policy, ordered=True)
    key = uuid4()
    poison = message(key, "poison")
    wake_up = WakeUp()
    retrier = retrier_of(database, consumer, wake_up=wake_up)
    async with BackgroundTask("retrier", retrier.run, wake_up):
        await consumer.receive(poison)
        await consumer.receive(message(key, "next"))

        async def next_is_done() -> bool:
            return recorder.done == [(key, "next")]

        await eventually(next_is_done, what="the message behind the poison")
    assert (await inbox_row(database, poison, consumer)).state == "dead"


async def test_messages_of_a_key_that_arrive_together_are_handled_in_their_order(
    database: Database,
) -> None:
    recorder = Recorder()
    consumer = consumer_of(database, recorder.handler, ordered=True)
    keys = [uuid4(), uuid4()]
    messages = [message(keys[n % 2], f"{n}") for n in range(20)]
    await asyncio.gather(*(consumer.receive(each) for each in messages))
    for key in keys:
        numbers = [int(name) for order_id, name in recorder.done if order_id == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


async def test_without_ordered_a_retried_message_holds_up_nothing(database: Database) -> None:
    recorder = Recorder()
    recorder.fails = {"first"}
    consumer = consumer_of(database, recorder.handler)
    key = uuid4()
    await consumer.receive(message(key, "first"))
    await consumer.receive(message(key, "second"))
    assert recorder.done == [(key, "second")]
