"""The command CreateOrder through the mediator, without HTTP: with its event and without it."""

import argparse
import asyncio
import time
from decimal import Decimal

from app.building_blocks.mediator import Mediator
from app.features.orders.create_order import CreateOrder
from app.main import create_app
from bench_features import all_features
from child import quantile, run, tell


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--runs", type=int, required=True)
    chosen = parser.parse_args()
    without, with_event = (
        create_app(features=all_features(with_event=which)).state.mediator
        for which in (False, True)
    )
    for mediator in (without, with_event):
        await load(mediator, chosen.concurrency, 0.3)
    for _ in range(chosen.runs):
        tell(
            without=await load(without, chosen.concurrency, chosen.seconds),
            with_event=await load(with_event, chosen.concurrency, chosen.seconds),
        )
    for mediator in (without, with_event):
        await mediator.database.dispose()


async def load(mediator: Mediator, concurrency: int, seconds: float) -> dict[str, float]:
    """Commands per second, and p50 and p99 in milliseconds."""
    ended = time.perf_counter() + seconds
    times: list[float] = []

    async def worker() -> None:
        while (sent := time.perf_counter()) < ended:
            await mediator.send(CreateOrder(customer="ada", amount=Decimal("12.50")))
            times.append(time.perf_counter() - sent)

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    took = time.perf_counter() - begun
    return {
        "rate": len(times) / took,
        "p50": 1000 * quantile(times, 0.5),
        "p99": 1000 * quantile(times, 0.99),
    }


run(main())
