"""Background work runs as long as the app, comes back when it dies, and says so."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from app.building_blocks.background import BackgroundTask
from app.building_blocks.wake_up import WakeUp
from tests.building_blocks.work import Work, die
from tests.waiting import eventually


@pytest.fixture
def wake_up() -> WakeUp:
    return WakeUp()


async def end() -> None:
    return


async def test_work_that_runs_is_no_problem(wake_up: WakeUp) -> None:
    work = Work(wake_up.until_closed)
    task = BackgroundTask("digger", work, wake_up)
    assert task.problem == "digger is not running"
    async with task:
        await work.was_started(1)
        assert task.problem is None
        assert await task.check() is None
    assert task.problem == "digger is not running"
    assert len(work.starts) == 1


@pytest.mark.parametrize(
    ("ends", "reason"),
    [(die, "LookupError('the map is gone')"), (end, "it ended by itself")],
)
async def test_work_that_died_is_started_again_and_readiness_hears_of_it(
    wake_up: WakeUp, ends: Callable[[], Awaitable[None]], reason: str
) -> None:
    async def only_once() -> None:
        await (ends if len(work.starts) == 1 else wake_up.until_closed)()

    work = Work(only_once)
    async with BackgroundTask("digger", work, wake_up, first_pause=0.01) as task:
        await work.was_started(2)
        assert await task.check() == f"digger died and was started again: {reason}"


async def test_work_that_has_recovered_is_no_problem_any_more(wake_up: WakeUp) -> None:
    async def only_once() -> None:
        if len(work.starts) == 1:
            await die()
        await wake_up.until_closed()

    work = Work(only_once)
    quick = BackgroundTask("digger", work, wake_up, first_pause=0.01, healthy_after=0.1)

    async def forgiven() -> bool:
        return task.problem is None

    async with quick as task:
        await work.was_started(2)
        assert task.problem is not None
        await eventually(forgiven, what="no problem")


async def test_a_crash_loop_always_shows(wake_up: WakeUp) -> None:
    work = Work(die)
    task = BackgroundTask("digger", work, wake_up, first_pause=0.02, longest_pause=0.02)
    async with task:
        await work.was_started(1)
        while len(work.starts) < 5:
            assert task.problem is not None
            await asyncio.sleep(0)


async def test_each_pause_is_twice_as_long_up_to_the_longest(wake_up: WakeUp) -> None:
    work = Work(die)
    with capture_logs() as lines:
        async with BackgroundTask("digger", work, wake_up, first_pause=0.02, longest_pause=0.1):
            await work.was_started(6)
    pauses = [line["pause"] for line in lines]
    assert pauses[:5] == [0.02, 0.04, 0.08, 0.1, 0.1]
    for pause, (sooner, later) in zip(pauses, pairwise(work.starts), strict=False):
        assert later - sooner >= pause * 0.95


async def test_work_that_was_healthy_for_long_starts_over_with_the_first_pause(
    wake_up: WakeUp,
) -> None:
    async def live_longer_the_third_time() -> None:
        if len(work.starts) == 3:
            await wake_up.rest(0.1)
        raise LookupError

    work = Work(live_longer_the_third_time)
    task = BackgroundTask("digger", work, wake_up, first_pause=0.02, healthy_after=0.09)
    with capture_logs() as lines:
        async with task:
            await work.was_started(5)
    assert [line["pause"] for line in lines][:4] == [0.02, 0.04, 0.02, 0.04]
