"""How long an event takes from the commit to whoever receives it, beside a direct publish.

At low load one is under way at a time. At half of the maximum they are sent at an even pace, half
as many a second as the path through the outbox was found to carry.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

from app.settings import load_settings
from child import quantile, run, tell, until
from paths import Paths

PAUSE = 0.005
AT_ONCE = 32
DEADLINE = 120.0
Send = Callable[[], Awaitable[float]]


async def low(send: Send, count: int) -> list[float]:
    times = []
    for _ in range(count):
        times.append(await send())
        await asyncio.sleep(PAUSE)
    return times


async def most(send: Send, seconds: float) -> float:
    """Events per second, with many under way all the time."""
    begun, done = time.perf_counter(), 0

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < begun + seconds:
            await send()
            done += 1

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - begun)


async def paced(send: Send, rate: float, count: int) -> list[float]:
    clock = asyncio.get_running_loop().time
    begun, tasks = clock(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number / rate - clock()))
        tasks.append(asyncio.ensure_future(send()))
    return await asyncio.gather(*tasks)


def figures(times: list[float]) -> dict[str, float]:
    return {"p50": 1000 * quantile(times, 0.5), "p99": 1000 * quantile(times, 0.99)}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, required=True, help="in each run on each path")
    parser.add_argument("--runs", type=int, required=True)
    chosen = parser.parse_args()
    paths = Paths(load_settings())
    async with paths.app.router.lifespan_context(paths.app), asyncio.timeout(DEADLINE):
        await until(paths.is_connected, 60, "the broker is connected")
        for send in paths.send.values():
            await low(send, 30)
        for _ in range(chosen.runs):
            tell(
                load="low",
                **{
                    path: figures(await low(send, chosen.events))
                    for path, send in paths.send.items()
                },
            )
        rate = await most(paths.send["outbox"], 2.0) / 2
        for _ in range(chosen.runs):
            half = {
                path: figures(await paced(paths.send[path], rate, chosen.events))
                for path in ("direct", "outbox")
            }
            tell(load="half", rate=rate, **half)


run(main())
