"""One run from its beginning to its verdict: the table of contents of this package."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from app.settings import Settings
from tests.faults.books import Books, books
from tests.faults.console import Console
from tests.faults.drain import wait_until_done
from tests.faults.errors import CannotRunError
from tests.faults.injector import Injector
from tests.faults.log_files import complaints, times_locked
from tests.faults.network import Network, network
from tests.faults.options import Options
from tests.faults.orders import Orders, all_orders
from tests.faults.replica import Replica
from tests.faults.result import Result
from tests.faults.schedule import Kind, faults
from tests.faults.verdict import Verdict, judge

# The logs are read by a machine, and the history of what was published is evidence.
_SETTINGS = {
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "OUTBOX_PUBLISHER_ENABLED": "true",
    "OUTBOX_RETENTION_HOURS": "24",
}
# Retries come soon enough for a run of minutes; the environment may say otherwise.
_QUICK = {"RETRY_BASE_DELAY": "0.2", "RETRY_MAX_DELAY": "5"}


async def run(options: Options, settings: Settings, logs: Path, console: Console) -> Result:
    """Start, post and disturb, heal, wait, compare. Raises CannotRunError, maybe in a group."""
    urls = {"DATABASE_URL": settings.database_url, "BROKER_URL": settings.broker_url}
    async with books(settings.database_url) as reading, network(urls) as between:
        await reading.require_migrations()
        known = await _orders_before(reading, options)
        replicas = _replicas(options, between, logs)
        orders = Orders(replicas, options.orders, logs / "ledger.jsonl")
        injector = Injector({each.name: each for each in replicas}, between.proxies, console)
        async with asyncio.TaskGroup() as background:
            tasks = [background.create_task(each.keep_running()) for each in replicas]
            await asyncio.gather(*(each.until_serving() for each in replicas))
            tasks.append(background.create_task(orders.post(options.concurrency)))
            await _disturb(options, orders, injector, between)
            healed = time.monotonic()
            console.tell(f"all is healed: {len(orders.answered)} orders to account for")
            await asyncio.gather(*(each.until_serving() for each in replicas))
            drained = await wait_until_done(reading, console, healed, options.deadline)
            found = await all_orders(replicas[0].url)
            for task in tasks:
                task.cancel()
        new = {order: each for order, each in found.items() if order not in known}
        payments = await reading.payments()
        new_payments = {order: each for order, each in payments.items() if order not in known}
        verdict = judge(orders.answered, new, new_payments, await reading.history())
        verdict.unfinished += await reading.reasons()
    statuses = [each["status"] for each in new.values()]
    log_files = [each.log for each in replicas]
    return Result(
        seed=options.seed,
        counts={
            "orders answered with 201": len(orders.answered),
            "orders without an answer": orders.unanswered,
            "of these there": len(new.keys() - orders.answered.keys()),
            "paid": statuses.count("paid"),
            "cancelled": statuses.count("cancelled"),
            "payments": sum(map(len, new_payments.values())),
        },
        faults=dict(injector.made),
        seconds={
            "from healed to finished": drained,
            "slowest start of a process": max(each.slowest_start for each in replicas),
            "in all": console.elapsed,
        },
        broken=_broken(verdict, replicas, times_locked(log_files)),
        complaints=dict(complaints(log_files).most_common()),
        logs=logs,
    )


async def _orders_before(reading: Books, options: Options) -> set[str]:
    known = await reading.orders()
    if known and not options.allow_data:
        raise CannotRunError(
            f"There are {len(known)} orders in the database, and faults want one of their own: "
            "point DATABASE_URL at an empty database and run: alembic upgrade head\n"
            "(--allow-data goes on, and leaves these orders out of the count)"
        )
    return known


def _replicas(options: Options, between: Network, logs: Path) -> list[Replica]:
    quick = {name: os.environ.get(name, value) for name, value in _QUICK.items()}
    settings = {**quick, **_SETTINGS, **between.settings}
    return [
        Replica(f"process {number}", settings, logs / f"process-{number}.log")
        for number in range(1, options.processes + 1)
    ]


async def _disturb(options: Options, orders: Orders, injector: Injector, between: Network) -> None:
    """Make faults until the kills are made and the orders posted; then heal everything."""
    processes = [f"process {number}" for number in range(1, options.processes + 1)]
    schedule = faults(options.seed, processes, list(between.proxies), options.max_stop)
    # A kill is every second or third fault: so there are orders on their way at nearly all.
    share = options.orders // (2 * options.kills + 1) + 1
    while injector.kills < options.kills or not orders.all_posted:
        enough = injector.kills == options.kills
        orders.release(options.orders if enough else share)
        fault = next(schedule)
        if not (enough and fault.kind is Kind.KILL):
            await injector.make(fault)
    between.heal()
    await injector.finish()


def _broken(verdict: Verdict, replicas: Sequence[Replica], locked: int) -> dict[str, list[str]]:
    died = [death for each in replicas for death in each.deaths]
    waited = [f"the logs tell of it {locked} times"] if locked else []
    return {**verdict.broken(), "process died": died, "database is locked": waited}
