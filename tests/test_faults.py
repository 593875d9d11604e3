"""The fault harness of a baked service: it finds nothing, unless there is something to find."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bakery import bake
from brokers import scratch_broker
from conftest import Baked
from servers import scratch_database
from service import Service, check, environment

RUN_DEADLINE = 420.0  # seconds

# Processes, kills (together at least 25), and a seed with nearly every fault of the network.
RUNS = [
    pytest.param("sqlite", "memory", 1, 5, 7, id="sqlite-memory-1"),
    pytest.param("sqlite", "memory", 2, 5, 7, id="sqlite-memory-2"),
    pytest.param("postgresql", "rabbitmq", 3, 10, 223, id="postgresql-rabbitmq-3"),
    pytest.param("mysql", "rabbitmq", 2, 6, 93, id="mysql-rabbitmq-2"),
    pytest.param("postgresql", "nats", 3, 8, 223, id="postgresql-nats-3"),
    pytest.param("mysql", "redis", 3, 8, 223, id="mysql-redis-3"),
    # The mock cluster cannot have two members join a group at the same time.
    pytest.param("postgresql", "kafka", 1, 5, 93, id="postgresql-kafka-1"),
]
# Side by side they would take the processor from each other, and need longer deadlines.
pytestmark = pytest.mark.xdist_group("load")


def faults(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the harness in a service's folder."""
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=RUN_DEADLINE,
        check=False,
    )


@pytest.mark.parametrize(("database", "broker", "processes", "kills", "seed"), RUNS)
async def test_nothing_is_lost_or_doubled_under_faults(
    database: str,
    broker: str,
    processes: int,
    kills: int,
    seed: int,
    baked: Baked,
    tmp_path: Path,
) -> None:
    service = baked(database, broker)
    async with scratch_database(database, tmp_path) as url:
        with scratch_broker(broker) as broker_url:
            settings = {"DATABASE_URL": url, "BROKER_URL": broker_url}
            check(service, "alembic", "upgrade", "head", **settings)
            done = faults(
                service,
                *("--processes", str(processes), "--kills", str(kills), "--orders", "150"),
                *("--seed", str(seed), "--logs", str(tmp_path / "logs")),
                **settings,
            )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert count(done.stdout, "fault: kill") == kills
    assert count(done.stdout, "orders answered with 201") > 0


def count(table: str, name: str) -> int:
    """The number beside a name in the table that the harness prints."""
    [line] = [line for line in table.splitlines() if line.strip().startswith(name)]
    return int(line.split()[-1])


async def test_a_service_that_handles_duplicates_twice_is_caught(tmp_path: Path) -> None:
    service = bake(tmp_path / "broken")
    # It says of every message that it is new, also of one that it has already.
    change(
        service / "app/building_blocks/inbox/inbox.py",
        "return await self._dialect",
        "return True | await self._dialect",
    )
    # Some marks never come, as when a process dies before: kills seldom meet that moment.
    confirmed = (
        '"""The broker has confirmed `rows`. Returns how many still belonged to the claim."""'
    )
    lost = "if uuid4().int % 10 == 0:\n            return len(rows)"
    change(
        service / "app/building_blocks/outbox/claims.py",
        confirmed,
        f"{confirmed}\n        {lost}",
    )
    async with scratch_database("sqlite", tmp_path) as url:
        settings = {"DATABASE_URL": url, "BROKER_URL": "memory://"}
        check(service, "alembic", "upgrade", "head", **settings)
        done = faults(
            service,
            *("--processes", "2", "--kills", "8", "--orders", "300", "--deadline", "60"),
            *("--seed", "7", "--logs", str(tmp_path / "logs"), "--json"),
            **settings,
        )
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert not result["good"]
    # A second payment, or a second event that the order had no use for.
    seen = [*result["broken"]["doubled"], *result["broken"]["unfinished"]]
    assert any(" payments" in each or " is already " in each for each in seen), done.stderr


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


def test_a_seed_repeats_the_faults(baked: Baked) -> None:
    service = baked("postgresql", "rabbitmq")
    script = (
        "from itertools import islice; from tests.faults.schedule import faults;"
        "draw = lambda seed: list(islice(faults(seed, ['p1', 'p2'], ['the broker'], 4.0), 200));"
        "assert draw(7) == draw(7) and draw(7) != draw(8)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=service, env=environment(), check=True)


async def test_a_database_with_orders_is_refused(baked: Baked, tmp_path: Path) -> None:
    service = baked("sqlite", "memory")
    async with scratch_database("sqlite", tmp_path) as url:
        settings = {"DATABASE_URL": url, "BROKER_URL": "memory://"}
        assert "alembic upgrade head" in refusal(service, **settings)
        with Service(service, url, "memory://") as running:
            running.post("/orders", {"customer": "ada", "amount": "1.00"})
        assert "There are 1 orders in the database" in refusal(service, **settings)


def refusal(service: Path, **settings: str) -> str:
    """What the harness says when it does not run."""
    done = faults(service, **settings)
    assert done.returncode == 2, done.stdout
    return done.stdout
