"""A background task sleeps until there is work, the time is over, or the service stops."""

import asyncio
import time

import pytest

from app.building_blocks.wake_up import WakeUp

FOREVER = 3600.0
DEADLINE = 10.0


@pytest.fixture
def wake_up() -> WakeUp:
    return WakeUp()


async def is_asleep(task: asyncio.Task[None]) -> bool:
    # The task had every chance to end: only a timer could end it now.
    for _ in range(10):
        await asyncio.sleep(0)
    return not task.done()


async def test_a_sleep_ends_by_itself(wake_up: WakeUp) -> None:
    started = time.monotonic()
    await wake_up.sleep(0.05)
    assert 0.04 < time.monotonic() - started < DEADLINE


async def test_work_ends_a_sleep_at_once(wake_up: WakeUp) -> None:
    sleeping = asyncio.create_task(wake_up.sleep(FOREVER))
    assert await is_asleep(sleeping)
    wake_up.set()
    await asyncio.wait_for(sleeping, DEADLINE)


async def test_work_that_came_before_the_sleep_ends_it(wake_up: WakeUp) -> None:
    wake_up.set()
    await asyncio.wait_for(wake_up.sleep(FOREVER), DEADLINE)


async def test_one_call_ends_one_sleep(wake_up: WakeUp) -> None:
    wake_up.set()
    wake_up.set()
    await asyncio.wait_for(wake_up.sleep(FOREVER), DEADLINE)
    sleeping = asyncio.create_task(wake_up.sleep(FOREVER))
    assert await is_asleep(sleeping)
    wake_up.set()
    await asyncio.wait_for(sleeping, DEADLINE)


async def test_work_does_not_end_a_rest(wake_up: WakeUp) -> None:
    resting = asyncio.create_task(wake_up.rest(FOREVER))
    wake_up.set()
    assert await is_asleep(resting)
    wake_up.close()
    await asyncio.wait_for(resting, DEADLINE)


async def test_a_rest_ends_by_itself(wake_up: WakeUp) -> None:
    await asyncio.wait_for(wake_up.rest(0.01), DEADLINE)
    assert not wake_up.closed


async def test_the_stop_ends_all_sleep_for_good(wake_up: WakeUp) -> None:
    waiting = [
        asyncio.create_task(waits)
        for waits in (wake_up.sleep(FOREVER), wake_up.rest(FOREVER), wake_up.until_closed())
    ]
    assert all([await is_asleep(task) for task in waiting])
    assert not wake_up.closed
    wake_up.close()
    await asyncio.wait_for(asyncio.gather(*waiting), DEADLINE)

    assert wake_up.closed
    for _ in range(2):
        await asyncio.wait_for(wake_up.sleep(FOREVER), DEADLINE)
        await asyncio.wait_for(wake_up.rest(FOREVER), DEADLINE)
