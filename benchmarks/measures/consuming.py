"""Messages that a consumer handles in a second, and the same business transactions alone.

Handling is an inbox row and an order in one transaction. Alone it is the order. Both run as many
at once as the inbox has room for.
"""

import argparse
import asyncio
import time
from decimal import Decimal

from app.features.orders.create_order import CreateOrder
from app.main import create_app
from app.settings import Settings, load_settings
from bench_features import only_orders
from child import run, tell
from handling import consumed
from receiving import received
from rows import SERVICE

AT_ONCE = 15  # handlers_at_once of the inbox


async def alone(settings: Settings, rows: int) -> float:
    """Business transactions per second."""
    mediator = create_app(settings, [only_orders()]).state.mediator
    left = rows

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await mediator.send(CreateOrder(customer="ada", amount=Decimal("12.50")))

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    took = time.perf_counter() - begun
    await mediator.database.dispose()
    return rows / took


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    rows: int = parser.parse_args().rows
    settings = load_settings().model_copy(update={"service_name": SERVICE})
    tell(
        alone=await alone(settings, rows),
        handled=await consumed(settings, rows),
        received=await received(settings, rows),
    )


run(main())
