"""A service whose broker is away: at the start, later, and again after every restart."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from brokers import nats_server, rabbitmq_server, redis_server
from conftest import Baked
from kafka_process import KafkaProcess
from server_process import ServerProcess
from service import Service, wait_until

SERVERS = {"rabbitmq": rabbitmq_server, "nats": nats_server, "redis": redis_server}
RESTARTS = 3
DEADLINE = 60.0  # seconds

pytestmark = [
    pytest.mark.parametrize("broker", [*SERVERS, "kafka"]),
    # Recovery is measured: not beside another load.
    pytest.mark.xdist_group("load"),
]


@pytest.fixture
def server(broker: str, baked: Baked, tmp_path: Path) -> Iterator[ServerProcess | KafkaProcess]:
    """Not started yet."""
    if broker == "kafka":
        cluster = KafkaProcess(baked("sqlite", broker))
        yield cluster
        cluster.close()
        return
    server = SERVERS[broker](tmp_path)
    server.require()
    yield server
    server.kill()


def test_the_service_works_again_by_itself_after_every_restart_of_its_broker(
    broker: str, server: ServerProcess | KafkaProcess, baked: Baked, tmp_path: Path
) -> None:
    database_url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    service = Service(baked("sqlite", broker), database_url, server.url)
    service.migrate()
    with service.started(ready=False):
        assert "broker" in not_ready(service)
        orders = [new_order(service)]
        server.start()
        measure(f"{broker}: first started", partial(all_paid, service, orders))
        assert service.get("/health/ready").status_code == 200

        for number in range(1, RESTARTS + 1):
            # Killed in its first second, RabbitMQ 3.10 forgets half of a quorum queue: it keeps the
            # name, and never confirms again. What it has started with once survives a kill.
            (server.stop if number == 1 else server.kill)()
            wait_until(lambda: bool(not_ready(service)), "readiness tells of it", DEADLINE)
            orders += [new_order(service) for _ in range(5)]
            assert service.get("/health/live").status_code == 200
            server.start()
            measure(f"{broker}: restart {number}", partial(all_paid, service, orders))
            wait_until(lambda: not not_ready(service), "it is ready again", DEADLINE)
        for order in orders:
            assert len(service.payments(order)) == 1
        assert "Traceback" not in service.log
        assert service.stop() in (0, 143, -15)


def not_ready(service: Service) -> list[str]:
    """The checks that say no."""
    answer = service.get("/health/ready")
    if answer.status_code == httpx.codes.OK:
        return []
    return [name for name, state in answer.json()["checks"].items() if state != "ok"]


def new_order(service: Service) -> str:
    answer = service.post("/orders", {"customer": "ada", "amount": "12.50"})
    assert answer.status_code == httpx.codes.CREATED
    return str(answer.json()["id"])


def all_paid(service: Service, orders: list[str]) -> bool:
    return all(service.order_status(order) == "paid" for order in orders)


def measure(what: str, condition: Callable[[], bool]) -> None:
    """Wait for it, and print how long that took."""
    started = time.monotonic()
    wait_until(condition, what, DEADLINE)
    print(f"{what}, all orders paid after {time.monotonic() - started:.1f} s")
