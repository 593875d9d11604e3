"""The stop lets background work finish, for a while, and never fails."""

import asyncio
import time

import pytest

from app.building_blocks.background import BackgroundTask
from app.building_blocks.wake_up import WakeUp
from tests.building_blocks.work import Work, die

DEADLINE = 10.0
FOREVER = 3600.0


@pytest.fixture
def wake_up() -> WakeUp:
    return WakeUp()


async def test_the_stop_lets_work_finish(wake_up: WakeUp) -> None:
    finished = False

    async def finish_slowly() -> None:
        nonlocal finished
        await wake_up.until_closed()
        await asyncio.wait_for(asyncio.shield(asyncio.sleep(0.05)), DEADLINE)
        finished = True

    work = Work(finish_slowly)
    async with BackgroundTask("digger", work, wake_up):
        await work.was_started(1)
    assert finished
    assert len(work.starts) == 1


async def test_the_stop_does_not_wait_for_a_pause(wake_up: WakeUp) -> None:
    work = Work(die)
    async with asyncio.timeout(DEADLINE):
        async with BackgroundTask("digger", work, wake_up, first_pause=FOREVER) as task:
            await work.was_started(1)
    assert len(work.starts) == 1
    assert task.problem == "digger is not running"


async def test_work_that_does_not_stop_is_cut_off_after_the_grace(wake_up: WakeUp) -> None:
    cut_off = False

    async def never_stop() -> None:
        nonlocal cut_off
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_off = True
            raise

    work = Work(never_stop)
    async with asyncio.timeout(DEADLINE):
        async with BackgroundTask("digger", work, wake_up, grace=0.1):
            await work.was_started(1)
            stopped_at = time.monotonic()
    assert cut_off
    assert time.monotonic() - stopped_at >= 0.09
    assert len(work.starts) == 1


async def test_work_that_fails_while_it_stops_does_not_fail_the_stop(wake_up: WakeUp) -> None:
    async def fail_late() -> None:
        await wake_up.until_closed()
        raise LookupError("too late")

    work = Work(fail_late)
    async with BackgroundTask("digger", work, wake_up):
        await work.was_started(1)
    assert len(work.starts) == 1
