"""What belongs to an environment that is not there (any more) is handled by the default one."""

from app.building_blocks.databases.database import Database
from tests.guarantees.consuming import count_effects, inbox_row
from tests.guarantees.deployments import Deployment, fall_silent, handled_at, meet, order, settled


async def test_the_default_deployment_handles_what_belongs_to_no_living_environment(
    database: Database,
) -> None:
    default = Deployment(database)
    await meet(default, Deployment(database, "canary"))
    await fall_silent(database, "canary")
    await default.beat()
    await default.consumer.receive(order("never", "never-was"))
    await default.consumer.receive(order("gone", "canary"))
    assert default.handled == ["never", "gone"]
    await settled(database, 2)


async def test_what_a_canary_left_behind_is_handled_by_the_default_deployment(
    database: Database,
) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    await meet(default, canary)
    message = order("left", "canary")
    await default.consumer.receive(message)
    async with default.retrying():
        # While the canary may still come to it, it is left alone.
        await fall_silent(database, "canary", seconds=10)
        await default.beat()
        await default.consumer.receive(order("free"))
        await handled_at(default, "free")
        assert default.handled == ["free"]
        row = await inbox_row(database, message, default.consumer)
        assert (row.state, row.attempts, row.environment) == ("retrying", 0, "canary")
        await fall_silent(database, "canary")
        await default.beat()
        await settled(database, 2)
    assert default.handled == ["free", "left"]


async def test_a_canary_that_goes_away_in_the_middle_loses_and_doubles_nothing(
    database: Database,
) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    await meet(default, canary)
    messages = [order(f"{n}", "canary") for n in range(30)]
    async with default.retrying():
        async with canary.retrying():
            for message in messages[:15]:
                await default.consumer.receive(message)
        for message in messages[15:]:
            await default.consumer.receive(message)
        await fall_silent(database, "canary")
        await default.beat()
        await settled(database, 30)
    assert sorted(default.handled + canary.handled, key=int) == [f"{n}" for n in range(30)]
    assert await count_effects(database) == (30, 30)


async def test_a_replica_that_knows_nothing_yet_leaves_it_to_those_who_do(
    database: Database,
) -> None:
    default, canary = Deployment(database), Deployment(database, "canary")
    await canary.beat()
    async with default.retrying():
        await default.consumer.receive(order("ada", "canary"))
        assert default.handled == []
        await default.beat()
        async with canary.retrying():
            await settled(database, 1)
    assert canary.handled == ["ada"]


async def test_a_handler_that_a_canary_lacks_runs_in_the_default_deployment(
    database: Database,
) -> None:
    default, canary = Deployment(database, name="old"), Deployment(database, "canary", name="new")
    await meet(default, canary)
    await default.consumer.receive(order("ada", "canary"))
    assert (default.handled, canary.handled) == (["ada"], [])
