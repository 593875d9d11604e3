"""Rule 7: a message that was given up is announced once, whatever becomes of the news."""

import asyncio

import pytest

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.dead_letters import DeadLetter
from app.building_blocks.wake_up import WakeUp
from tests.guarantees.consuming import (
    NO_RETRY,
    ONE_RETRY,
    consumer_of,
    fail,
    inbox_row,
    order_created,
    retrier_of,
)
from tests.waiting import eventually


async def test_each_dead_letter_is_announced_once(database: Database) -> None:
    letters: list[DeadLetter] = []

    async def on_dead_letter(letter: DeadLetter) -> None:
        letters.append(letter)

    consumer = consumer_of(database, fail, retry=ONE_RETRY, on_dead_letter=on_dead_letter)
    message, wake_up = order_created(), WakeUp()
    retrier = retrier_of(database, consumer, wake_up=wake_up)
    async with BackgroundTask("retrier", retrier.run, wake_up):
        await consumer.receive(message)
        await consumer.receive(message)

        async def announced() -> bool:
            return bool(letters)

        await eventually(announced, what="the announcement")
    [letter] = letters
    assert letter == DeadLetter(
        message.headers["ce-id"], "svc.tests.fail", message.topic, message.key, 2,
        "ValueError: always",
    )  # fmt: skip


@pytest.mark.parametrize("harm", ["fails", "hangs"])
async def test_a_callback_that_fails_or_hangs_does_no_harm(database: Database, harm: str) -> None:
    called = asyncio.Event()

    async def on_dead_letter(letter: DeadLetter) -> None:
        called.set()
        if harm == "fails":
            raise RuntimeError("the pager is down")
        await asyncio.Event().wait()

    consumer = consumer_of(database, fail, retry=NO_RETRY, on_dead_letter=on_dead_letter)
    message, next_message = order_created(), order_created()
    async with asyncio.timeout(5):
        await consumer.receive(message)
        await called.wait()
        await consumer.receive(next_message)
    assert (await inbox_row(database, message, consumer)).state == "dead"
    assert (await inbox_row(database, next_message, consumer)).state == "dead"
