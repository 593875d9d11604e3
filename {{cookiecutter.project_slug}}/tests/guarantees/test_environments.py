"""Events of an environment go to its consumers while they exist, and to the default ones else."""

import asyncio
from uuid import uuid4

from sqlalchemy import select

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from tests.guarantees.consuming import count_effects, inbox_row
from tests.guarantees.deployments import Deployment, handled_at, meet, order, settled
from tests.waiting import eventually

PATIENT = RetryPolicy(base_delay=3600, max_delay=3600)


async def test_a_canary_gets_the_events_of_its_environment(database: Database) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    await meet(default, canary)
    async with default.retrying(), canary.retrying():
        # Whoever of them the broker hands a message to.
        await default.consumer.receive(order("one", "canary"))
        await canary.consumer.receive(order("two", "canary"))
        await settled(database, 2)
    assert (default.handled, sorted(canary.handled)) == ([], ["one", "two"])
    assert await count_effects(database) == (2, 2)


async def test_a_canary_gives_back_what_is_not_of_its_environment(database: Database) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    await meet(default, canary)
    async with default.retrying(), canary.retrying():
        await canary.consumer.receive(order("none"))
        await canary.consumer.receive(order("other", "elsewhere"))
        await settled(database, 2)
    assert (sorted(default.handled), canary.handled) == (["none", "other"], [])


async def test_two_canaries_get_their_own_events_only(database: Database) -> None:
    one, two = Deployment(database, "one"), Deployment(database, "two")
    await meet(one, two)
    async with one.retrying(), two.retrying():
        await one.consumer.receive(order("ada", "two"))
        await two.consumer.receive(order("bob", "one"))
        await settled(database, 2)
    assert (one.handled, two.handled) == (["bob"], ["ada"])


async def test_retries_stay_in_the_environment(database: Database) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    canary.fails = {"ada"}
    await meet(default, canary)
    message = order("ada", "canary")
    async with default.retrying():
        await canary.consumer.receive(message)
        row = await inbox_row(database, message, canary.consumer)
        assert (row.state, row.attempts, row.environment) == ("retrying", 1, "canary")
        async with canary.retrying():

            async def tried_again() -> bool:
                return len(canary.handled) > 2

            await eventually(tried_again, what="retries")
            canary.fails = set()
            await settled(database, 1)
    assert default.handled == []
    assert await count_effects(database) == (1, 1)


async def test_a_canary_never_takes_retries_of_the_default_deployment(database: Database) -> None:
    default, canary = Deployment(database, retry=PATIENT), Deployment(database, "canary")
    await meet(default, canary)
    await default.consumer.receive(order("ada"))
    await canary.consumer.receive(order("ada"))
    async with canary.retrying():
        await canary.consumer.receive(order("bob", "canary"))
        await default.consumer.receive(order("eve", "canary"))
        await handled_at(canary, "eve")
    assert (default.handled, canary.handled) == (["ada"], ["bob", "eve"])


async def test_duplicates_at_both_deployments_take_effect_once(database: Database) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    await meet(default, canary)
    messages = [order(f"{n}", "canary" if n % 2 else None) for n in range(20)]
    async with default.retrying(), canary.retrying():
        receiving = [
            one.consumer.receive(message)
            for message in messages
            for one in (default, canary, canary, default)
        ]
        await asyncio.gather(*receiving)
        await settled(database, 20)
    assert sorted(default.handled, key=int) == [f"{n}" for n in range(0, 20, 2)]
    assert sorted(canary.handled, key=int) == [f"{n}" for n in range(1, 20, 2)]
    assert await count_effects(database) == (20, 20)


async def test_the_order_of_a_key_holds_over_all_environments(database: Database) -> None:
    default = Deployment(database, ordered=True)
    canary = Deployment(database, "canary", ordered=True)
    await meet(default, canary)
    key = uuid4()
    canary.fails = {"first"}
    handled: list[str] = []
    default.handled = canary.handled = handled
    async with default.retrying(), canary.retrying():
        await default.consumer.receive(order("first", "canary", order_id=key))
        await default.consumer.receive(order("second", order_id=key))
        await default.consumer.receive(order("free"))
        await handled_at(default, "free")
        assert "second" not in handled
        canary.fails = set()
        await settled(database, 3)
    assert [name for name in handled if name != "free"][-2:] == ["first", "second"]


async def test_what_follows_from_an_event_stays_in_its_environment(database: Database) -> None:
    canary = Deployment(database, "canary")
    await canary.beat()
    await canary.consumer.receive(order("ada", "canary"))
    async with database.reader.connect() as connection:
        [headers] = await connection.scalars(select(outbox.c.headers))
    assert headers["environment"] == "canary"
