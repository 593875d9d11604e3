"""Rule 4: a broker that is down costs no attempt; only a refused message counts them."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.retry_policy import RetryPolicy
from tests.guarantees.conftest import (
    StartPublisher,
    count_published,
    count_waiting,
    outbox_row,
    write_rows,
)
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.waiting import eventually


async def test_every_row_is_kept_and_goes_out_when_the_broker_is_back(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.is_away = True
    await write_rows(database, *((f"k{n}", f"{n}") for n in range(20)))
    publisher = await start_publisher()

    async def says_so() -> bool:
        return publisher.problem is not None

    await eventually(says_so, what="the publisher's problem")
    assert await count_waiting(database) == 20

    broker.is_away = False

    async def drained() -> bool:
        return await count_waiting(database) == 0

    async def well() -> bool:
        return publisher.problem is None

    await eventually(drained, what="an empty outbox")
    assert sorted(broker.bodies, key=int) == [f"{n}" for n in range(20)]
    await eventually(well, what="the end of the problem")


async def test_the_pause_ends_when_the_connection_is_back(
    database: Database,
    broker: ScriptedBroker,
    start_publisher: StartPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    an_hour = RetryPolicy(max_retries=1000, base_delay=3600, max_delay=3600)
    monkeypatch.setattr("app.building_blocks.outbox.outage._PAUSES", an_hour)
    broker.is_away = True
    await write_rows(database, ("k", "1"))
    await start_publisher()

    async def paused() -> bool:
        return broker.attempts == 1 and broker.looks > 2

    await eventually(paused, what="a long pause")
    broker.is_away = False

    async def drained() -> bool:
        return await count_waiting(database) == 0

    await eventually(drained, what="an empty outbox")


async def test_no_attempt_is_counted_while_the_broker_is_away(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.is_away = True
    await write_rows(database, ("k", "patient"))
    await start_publisher()

    async def tried_again() -> bool:
        return broker.attempts >= 1

    await eventually(tried_again, what="a first try")

    async def free_again() -> bool:
        row = await outbox_row(database, "patient")
        return row.claim_token is None

    await eventually(free_again, what="the row given back")
    row = await outbox_row(database, "patient")
    assert (row.attempts, row.state, row.last_error) == (0, "waiting", None)


async def test_the_publisher_does_not_hammer_a_broker_that_is_away(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.is_away = True
    await write_rows(database, ("k", "1"))
    publisher = await start_publisher(poll_interval=0.001)

    async def paused_twice() -> bool:
        return publisher._outage.failures >= 3

    await eventually(paused_twice, what="a growing pause")
    # While it is away the connection is asked for, the message is not sent again.
    assert broker.attempts == 1


async def test_a_refused_message_is_set_aside_with_its_error_after_the_limit(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.refuses = lambda message: message.body == b"poison"
    await write_rows(database, ("k", "poison"))
    await start_publisher()

    async def dead() -> bool:
        row = await outbox_row(database, "poison")
        return bool(row.state == "dead")

    await eventually(dead, what="the row set aside")
    row = await outbox_row(database, "poison")
    assert row.attempts == 3
    assert "too large" in row.last_error


async def test_healthy_rows_do_not_wait_behind_500_refused_ones(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.refuses = lambda message: message.body == b"poison"
    await write_rows(database, *((f"k{n}", "poison") for n in range(500)))
    await write_rows(database, ("healthy", "healthy"))
    await start_publisher()

    async def healthy_is_out() -> bool:
        return await count_published(database) == 1

    await eventually(healthy_is_out, what="the healthy row")
    assert broker.bodies == ["healthy"]


async def test_a_key_goes_on_after_its_poison_was_set_aside(
    database: Database, broker: ScriptedBroker, start_publisher: StartPublisher
) -> None:
    broker.refuses = lambda message: message.body == b"poison"
    await write_rows(database, ("k", "first"), ("k", "poison"), ("k", "last"))
    await start_publisher()

    async def both() -> bool:
        return len(broker.sent) == 2

    await eventually(both, what="the rows around the poison")
    assert broker.bodies == ["first", "last"]
    assert (await outbox_row(database, "poison")).state == "dead"
