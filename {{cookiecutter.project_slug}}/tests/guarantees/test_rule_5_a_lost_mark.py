"""Rule 5: a mark that could not be written is made up for; nothing stays in flight for ever."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.conftest import count_waiting, write_rows
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


class Away(Claims):
    """Cannot write down what was confirmed, ten times."""

    failures = 0

    async def mark_published(self, rows: Sequence[ClaimedRow]) -> Any:
        if self.failures < 10:
            self.failures += 1
            raise ConnectionError("the database is away")
        return await super().mark_published(rows)


async def test_a_mark_that_could_not_be_written_is_told_at_once(
    database: Database, broker: ScriptedBroker
) -> None:
    publisher = Publisher(
        Away(database), broker, WakeUp(), Metrics(), refusals=RetryPolicy(), poll_interval=3600
    )
    await write_rows(database, ("k", "1"))
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(10):
            await publisher.run()


async def test_the_publisher_goes_on_after_it_could_not_write_down_what_went_out(
    database: Database, broker: ScriptedBroker
) -> None:
    wake_up = WakeUp()
    publisher = Publisher(
        Away(database, lease=0.1), broker, wake_up, Metrics(),
        refusals=RetryPolicy(), poll_interval=0.02, batch_size=4,
    )  # fmt: skip
    await write_rows(database, *((f"k{n}", f"{n}") for n in range(3)))
    task = BackgroundTask("publisher", publisher.run, wake_up, first_pause=0.01, longest_pause=0.05)
    async with task:

        async def drained() -> bool:
            return await count_waiting(database) == 0

        await eventually(drained, what="an empty outbox")
