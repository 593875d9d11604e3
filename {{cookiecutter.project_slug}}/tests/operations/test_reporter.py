"""Each process tells of itself, and what it told is forgotten after a day."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from app.building_blocks.databases.database import Database
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.activity import Minute, minutes_of, replicas_of
from app.building_blocks.operations.replica_table import replica_minutes, replicas
from app.building_blocks.operations.reporter import Reporter
from app.building_blocks.wake_up import WakeUp

DAY = 24 * 3600.0


async def fine() -> str | None:
    return None


async def away() -> str | None:
    return "the moon is down"


def reporter_of(database: Database, metrics: Metrics) -> Reporter:
    return Reporter(database, metrics, {"sun": fine, "moon": away}, WakeUp())


def sums(minutes: list[Minute]) -> tuple[int, int, int, int]:
    return (
        sum(one.published for one in minutes),
        sum(one.handled for one in minutes),
        sum(one.failed for one in minutes),
        sum(one.dead for one in minutes),
    )


async def test_a_process_is_seen_with_what_its_parts_say(database: Database) -> None:
    await reporter_of(database, Metrics()).report()
    [replica] = await replicas_of(database)
    assert replica.parts == {"sun": "", "moon": "the moon is down"}
    assert (replica.is_silent, replica.started_at) == (False, replica.seen_at)
    assert replica.started_at.tzinfo is not None


async def test_a_process_that_goes_on_is_one_and_began_once(database: Database) -> None:
    reporter = reporter_of(database, Metrics())
    await reporter.report()
    [first] = await replicas_of(database)
    await reporter.report()
    [second] = await replicas_of(database)
    assert second.replica == first.replica
    assert second.started_at == first.started_at
    assert second.seen_at >= first.seen_at


async def test_what_was_done_is_counted_once_however_often_it_is_reported(
    database: Database,
) -> None:
    metrics = Metrics()
    reporter = reporter_of(database, metrics)
    await reporter.report()
    assert await minutes_of(database) == []
    for _ in range(3):
        metrics.published.labels("a.v1").inc(2)
        metrics.handled.labels("a.v1", "one").inc()
        metrics.failed.labels("a.v1", "two").inc(3)
        await reporter.report()
        await reporter.report()
    metrics.dead.labels("a.v1", "one").inc()
    await reporter.report()
    minutes = await minutes_of(database)
    assert sums(minutes) == (6, 3, 9, 1)
    assert all(one.start.second == 0 and one.start.tzinfo for one in minutes)


async def test_what_several_processes_did_is_added_up(database: Database) -> None:
    for _ in range(3):
        metrics = Metrics()
        reporter = reporter_of(database, metrics)
        metrics.published.labels("a.v1").inc(5)
        await reporter.report()
    assert sums(await minutes_of(database)) == (15, 0, 0, 0)
    assert len(await replicas_of(database)) == 3


async def test_what_was_done_before_the_process_reported_counts(database: Database) -> None:
    metrics = Metrics()
    reporter = reporter_of(database, metrics)
    metrics.published.labels("a.v1").inc(5)
    await reporter.report()
    assert sums(await minutes_of(database)) == (5, 0, 0, 0)


async def test_a_report_that_fails_is_made_good_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    reporter = reporter_of(database, metrics)
    metrics.published.labels("a.v1").inc(5)

    async def lost(*arguments: object) -> None:
        raise ConnectionError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(reporter, "_forget", lost)
        with pytest.raises(ConnectionError):
            await reporter.report()
    assert await minutes_of(database) == []
    await reporter.report()
    assert sums(await minutes_of(database)) == (5, 0, 0, 0)


@pytest.mark.parametrize(("silent_for", "is_silent"), [(5.0, False), (60.0, True)])
async def test_a_process_that_tells_nothing_is_silent(
    database: Database, silent_for: float, is_silent: bool
) -> None:
    await reporter_of(database, Metrics()).report()
    async with database.begin() as connection:
        seen_at = database.dialect.later(-silent_for)
        await connection.execute(update(replicas).values(seen_at=seen_at))
    [replica] = await replicas_of(database)
    assert replica.is_silent == is_silent


async def test_the_process_that_began_last_comes_first(database: Database) -> None:
    first, second = (reporter_of(database, Metrics()) for _ in range(2))
    await first.report()
    await second.report()
    async with database.begin() as connection:
        begun = database.dialect.later(-30)
        mine = replicas.c.replica == first._replica
        await connection.execute(update(replicas).where(mine).values(started_at=begun))
    found = await replicas_of(database)
    assert [one.replica for one in found] == [second._replica, first._replica]


async def test_what_is_older_than_a_day_is_forgotten(database: Database) -> None:
    await reporter_of(database, Metrics()).report()
    async with database.begin() as connection:
        now = await database.now(connection)
        await connection.execute(update(replicas).values(seen_at=database.dialect.later(-DAY - 9)))
        for age in (timedelta(hours=23), timedelta(hours=25)):
            await connection.execute(
                insert(replica_minutes).values(minute=now - age, replica="r", published=1)
            )
    await reporter_of(database, Metrics()).report()
    assert len(await replicas_of(database)) == 1
    [minute] = await minutes_of(database)
    assert minute.start == now - timedelta(hours=23)
