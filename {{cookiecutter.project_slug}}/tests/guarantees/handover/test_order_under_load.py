"""Rule 6 where many events are handed over, by one process and by four."""

import asyncio
import random
from collections import defaultdict

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.handover import Handover
from app.building_blocks.retry_policy import RetryPolicy
from tests.guarantees.conftest import StartPublisher, count_published, count_waiting
from tests.guarantees.handover.handing_over import open_publisher
from tests.guarantees.noting import NotedIntegrationEvent, publish
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.guarantees.test_rule_6_order_per_key import UnsteadyBroker
from tests.mediators import mediator_of
from tests.waiting import eventually

PATIENT = RetryPolicy(max_retries=50, base_delay=0.01, max_delay=0.02)


def event(text: object) -> NotedIntegrationEvent:
    return NotedIntegrationEvent(name="k", text=f"{text}")


def text_of(message: BrokerMessage) -> str:
    return NotedIntegrationEvent.model_validate_json(message.body).text


async def test_events_of_a_busy_key_are_marked_while_more_of_it_come(
    database: Database, mediator: Mediator, handover: Handover, start_publisher: StartPublisher
) -> None:
    class Slow(ScriptedBroker):
        async def publish(self, message: BrokerMessage) -> None:
            await asyncio.sleep(0.03)
            await super().publish(message)

    broker, is_over = Slow(), asyncio.Event()
    await open_publisher(
        start_publisher, handover, broker=broker, poll_interval=0.02, batch_size=500
    )

    async def keep_coming() -> int:
        count = 0
        while not is_over.is_set():
            count += 1
            await publish(mediator, event(count))
            await asyncio.sleep(0.015)
        return count

    coming = asyncio.create_task(keep_coming())

    async def marked() -> bool:
        return await count_published(database) > 0

    try:
        await eventually(marked, deadline=5, what="a mark")
    finally:
        is_over.set()
        count = await coming

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, deadline=60, what="an empty outbox")
    assert [text_of(message) for message in broker.sent] == [f"{n + 1}" for n in range(count)]


async def test_four_processes_that_write_and_publish_keep_the_order_of_each_key(
    database: Database, start_publisher: StartPublisher
) -> None:
    broker, chance = UnsteadyBroker(seed=7), random.Random(7)
    turns = defaultdict[str, asyncio.Lock](asyncio.Lock)
    count = defaultdict[str, int](int)
    mediators = []
    for _ in range(4):
        handover = Handover(database.dialect)
        mediators.append(mediator_of(database, Feature("tests"), handover=handover))
        await open_publisher(
            start_publisher, handover, broker=broker, refusals=PATIENT, poll_interval=0.02
        )

    async def write(mediator: Mediator) -> None:
        for _ in range(30):
            name = f"k{chance.randrange(5)}"
            # As the aggregate's own lock has it: one transaction after the other.
            async with turns[name]:
                count[name] += 1
                await publish(mediator, NotedIntegrationEvent(name=name, text=f"{count[name]}"))

    await asyncio.gather(*(write(mediator) for mediator in mediators for _ in range(2)))

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, deadline=60, what="an empty outbox")
    order = defaultdict[str | None, list[int]](list)
    for message in broker.sent:
        number = int(text_of(message))
        if number not in order[message.key]:
            order[message.key].append(number)
    assert order == {name: list(range(1, last + 1)) for name, last in count.items()}
