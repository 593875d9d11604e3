"""A process that ends in order says so, and nobody has to look for it."""

from sqlalchemy import update

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.activity import minutes_of, replicas_of
from app.building_blocks.operations.replica_table import replicas
from app.building_blocks.operations.reporter import Reporter
from app.building_blocks.wake_up import WakeUp
from tests.waiting import eventually


async def test_a_process_that_ended_is_none_that_hangs(database: Database) -> None:
    wake_up, metrics = WakeUp(), Metrics()
    reporter = Reporter(database, metrics, {}, wake_up)

    async def seen() -> bool:
        return len(await replicas_of(database)) == 1

    async with BackgroundTask("reporter", reporter.run, wake_up):
        await eventually(seen, what="a process that is seen")
        metrics.published.labels("t.v1").inc(3)
    assert await replicas_of(database) == []
    assert [minute.published for minute in await minutes_of(database)] == [3], "its last words"


async def test_an_environment_goes_with_its_last_process(database: Database) -> None:
    canary = Reporter(
        database, Metrics(), {}, WakeUp(), environments=Environments("canary"), consumers=["c"]
    )
    environments = Environments()
    default = Reporter(database, Metrics(), {}, WakeUp(), environments=environments)
    await canary.report()
    await default.report()
    assert not environments.is_mine("canary", "c")
    await canary.sign_off()
    await default.report()
    assert environments.is_mine("canary", "c")


async def test_whoever_lives_comes_before_whoever_is_silent(database: Database) -> None:
    first, second = (Reporter(database, Metrics(), {}, WakeUp()) for _ in range(2))
    await first.report()
    await second.report()
    async with database.begin() as connection:
        a_while_ago = database.dialect.later(-60)
        await connection.execute(update(replicas).values(seen_at=a_while_ago))
    await first.report()
    found = await replicas_of(database)
    assert [one.is_silent for one in found] == [False, True]
