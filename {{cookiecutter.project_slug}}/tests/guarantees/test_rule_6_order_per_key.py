"""Rule 6: order is kept per key, through retries and across replicas; other keys flow."""

import asyncio
import random
from collections import defaultdict

from sqlalchemy import update

from app.building_blocks.brokers.adapter import BrokerMessage, BrokerUnavailableError
from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from tests.guarantees.conftest import StartPublisher, count_published, count_waiting, write_rows
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


class UnsteadyBroker(ScriptedBroker):
    """Answers after a while of its own, and now and then loses or refuses a message."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self.refuses = lambda message: self._chance.random() < 0.05

    async def publish(self, message: BrokerMessage) -> None:
        await asyncio.sleep(self._chance.random() * 0.005)
        if self._chance.random() < 0.05:
            raise BrokerUnavailableError("lost before the confirm")
        await super().publish(message)


async def test_four_replicas_keep_the_order_of_each_key_through_failures(
    database: Database, start_publisher: StartPublisher
) -> None:
    broker = UnsteadyBroker(seed=6)
    rows = [(f"k{n % 7}", f"{n}") for n in range(210)]
    await write_rows(database, *rows)
    patient = RetryPolicy(max_retries=50, base_delay=0.01, max_delay=0.02)
    for _ in range(4):
        await start_publisher(broker=broker, batch_size=10, refusals=patient)

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, deadline=60, what="an empty outbox")
    order = defaultdict(list)
    for message in broker.sent:
        order[message.key].append(int(message.body))
    for key, numbers in order.items():
        first_times = list(dict.fromkeys(numbers))
        assert first_times == sorted(first_times), key
    assert sum(len(set(numbers)) for numbers in order.values()) == 210


async def test_a_key_that_waits_does_not_hold_up_others(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.refuses = lambda message: message.body == b"poison"
    await write_rows(database, ("slow", "poison"), *(("slow", f"{n}") for n in range(300)))
    await write_rows(database, ("quick", "quick"), (None, "free"))
    await start_publisher(
        batch_size=50, refusals=RetryPolicy(max_retries=5, base_delay=60, max_delay=60)
    )

    async def others_are_out() -> bool:
        return await count_waiting(database) == 301

    await eventually(others_are_out, what="the other keys")
    assert sorted(broker.bodies) == ["free", "quick"]


class StalledBroker(ScriptedBroker):
    """Takes many at once, and answers for one of them only when it may."""

    publish_at_once = 100

    async def publish(self, message: BrokerMessage) -> None:
        if message.body == b"a2":
            await self.may_answer.wait()
        self.sent.append(message)


async def test_a_key_with_more_rows_does_not_hold_up_the_marks_of_others(
    database: Database, start_publisher: StartPublisher
) -> None:
    broker = StalledBroker()
    broker.may_answer.clear()
    await write_rows(database, ("a", "a1"), ("a", "a2"), ("b", "b1"), (None, "c1"))
    await start_publisher(broker=broker)

    async def others_are_marked() -> bool:
        return await count_published(database) == 2

    await eventually(others_are_marked, what="the marks of b and of the row without a key")
    assert sorted(broker.bodies) == ["a1", "b1", "c1"]
    broker.may_answer.set()


async def test_a_row_behind_a_claimed_one_of_its_key_is_not_claimed(database: Database) -> None:
    await write_rows(database, ("k", "1"), ("k", "2"), ("other", "3"))
    assert [row.payload for row in await Claims(database).claim(1)] == ["1"]
    assert [row.payload for row in await Claims(database).claim(10)] == ["3"]


async def test_rows_of_one_key_can_share_a_batch(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await write_rows(database, *(("k", f"{n}") for n in range(50)))
    await start_publisher()

    async def drained() -> bool:
        return len(broker.sent) == 50

    await eventually(drained, what="fifty rows of one key")
    assert broker.bodies == [f"{n}" for n in range(50)]


async def test_an_event_for_tomorrow_does_not_hold_up_its_key(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    await write_rows(database, ("k", "tomorrow"), ("k", "today"))
    async with database.begin() as connection:
        await connection.execute(
            update(outbox)
            .where(outbox.c.payload == "tomorrow")
            .values(available_at=database.dialect.later(24 * 3600))
        )
    await start_publisher()

    async def today_is_out() -> bool:
        return broker.bodies == ["today"]

    await eventually(today_is_out, what="today's row")


async def test_a_key_differs_by_case_and_accent(database: Database) -> None:
    await write_rows(database, ("Straße", "1"), ("strasse", "2"), ("STRASSE", "3"))
    claimed = await Claims(database).claim(1)
    rest = await Claims(database).claim(10)
    assert [row.payload for row in [*claimed, *rest]] == ["1", "2", "3"]
