"""Many orders at once, on real servers, also when the service is killed in between."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from service import Service

ORDERS = 500
PARALLEL = 32
DEADLINE = 180.0  # seconds until the last order must have ended
POLL_PAUSE = 0.2  # seconds; asking all the time would be a load of its own
KILL_AFTER = 150  # orders answered

COMBINATIONS = [
    ("sqlite", "memory"),
    ("postgresql", "rabbitmq"),
    ("mysql", "rabbitmq"),
    ("postgresql", "kafka"),
    ("postgresql", "nats"),
    ("mysql", "redis"),
]
pytestmark = [
    pytest.mark.parametrize("running_service", COMBINATIONS, ids="-".join, indirect=True),
    # Side by side they would take the processor from each other.
    pytest.mark.xdist_group("load"),
]


def amount(number: int) -> str:
    """What an order costs; every tenth is too much to be paid."""
    return "1000.01" if number % 10 == 0 else "12.50"


class Load:
    """Posts orders in parallel and remembers those that were answered with 201."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.answered: dict[str, str] = {}
        self.unanswered = 0
        self._slots = asyncio.Semaphore(PARALLEL)

    async def post(self, number: int) -> None:
        body = {"customer": f"customer-{number}", "amount": amount(number)}
        async with self._slots:
            try:
                answer = await self.client.post("/orders", json=body)
            except httpx.TransportError:
                self.unanswered += 1
                return
        assert answer.status_code == 201, answer.text
        self.answered[answer.json()["id"]] = body["amount"]

    async def wait_until_all_ended(self) -> None:
        waiting = set(self.answered)
        async with asyncio.timeout(DEADLINE):
            while waiting:
                states = await asyncio.gather(*(self._status(order) for order in waiting))
                ended = {
                    o for o, status in zip(waiting, states, strict=True) if status != "created"
                }
                waiting -= ended
                await asyncio.sleep(POLL_PAUSE)

    async def _status(self, order: str) -> str:
        async with self._slots:
            return str((await self.client.get(f"/orders/{order}")).json()["status"])

    async def assert_one_payment_each(self) -> None:
        for order, cost in self.answered.items():
            answer = await self.client.get("/payments", params={"order_id": order})
            [payment] = answer.json()
            too_much = cost == amount(0)
            assert payment["status"] == ("declined" if too_much else "taken")
            assert await self._status(order) == ("cancelled" if too_much else "paid")


@pytest.fixture
async def load(running_service: Service) -> AsyncIterator[Load]:
    # Shorter than the server keeps an idle connection, or a request now and then meets its end.
    limits = httpx.Limits(max_connections=PARALLEL, keepalive_expiry=2)
    url = running_service.url
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        yield Load(client)


def assert_calm(log: str) -> None:
    """Nothing in a service's log tells of a failure that its users would feel."""
    assert "database is locked" not in log
    assert "Traceback" not in log


async def test_every_order_ends_with_one_payment(running_service: Service, load: Load) -> None:
    await asyncio.gather(*(load.post(number) for number in range(ORDERS)))
    assert len(load.answered) == ORDERS
    await load.wait_until_all_ended()
    await load.assert_one_payment_each()
    assert_calm(running_service.log)


async def test_a_kill_in_between_loses_and_doubles_nothing(
    running_service: Service, load: Load
) -> None:
    posting = [asyncio.create_task(load.post(number)) for number in range(ORDERS)]
    while len(load.answered) < KILL_AFTER:
        await asyncio.sleep(0.001)
        assert not all(task.done() for task in posting)
    running_service.kill()
    await asyncio.gather(*posting)
    assert load.unanswered > 0
    running_service.start()
    load.client.base_url = httpx.URL(running_service.url)
    await load.wait_until_all_ended()
    await load.assert_one_payment_each()
    assert "database is locked" not in running_service.log
