"""The HTTP calls of a baked service, as tools drive them from outside."""

import time
import uuid
from pathlib import Path

import httpx
import pytest
from conftest import Baked
from orders import assert_problem, items, new_order
from service import Service, wait_until

HOUR = "3600"


def test_an_order_is_created_then_paid(running_service: Service) -> None:
    order = new_order(running_service)
    assert uuid.UUID(order.pop("id")).version == 7
    assert order == {"customer": "ada", "amount": "12.50", "status": "created"}


@pytest.mark.parametrize(
    ("amount", "ends", "payment"),
    [("1000.00", "paid", "taken"), ("1000.01", "cancelled", "declined")],
)
def test_a_small_order_is_paid_and_a_large_one_cancelled(
    amount: str, ends: str, payment: str, running_service: Service
) -> None:
    order = new_order(running_service, amount)["id"]
    wait_until(lambda: running_service.order_status(order) == ends, f"the order ends {ends}")
    [found] = running_service.payments(order)
    assert found.pop("id")
    assert found == {"order_id": order, "amount": amount, "status": payment}


def test_orders_are_listed_newest_first_in_pages(running_service: Service) -> None:
    orders = [new_order(running_service)["id"] for _ in range(5)]
    first = items(running_service.get("/orders?limit=2"))
    assert [order["id"] for order in first] == orders[:-3:-1]
    second = items(running_service.get(f"/orders?limit=2&after={first[-1]['id']}"))
    assert [order["id"] for order in second] == orders[2:0:-1]


def test_an_order_is_cancelled_once(baked: Baked, tmp_path: Path) -> None:
    # Nothing publishes, so the order stays created until it is cancelled.
    url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    service = Service(baked("sqlite", "memory"), url, "memory://", OUTBOX_PUBLISHER_ENABLED="false")
    with service:
        order = new_order(service)["id"]
        answer = service.post(f"/orders/{order}/cancellation")
        assert (answer.status_code, answer.content) == (204, b"")
        assert service.order_status(order) == "cancelled"
        assert_problem(service.post(f"/orders/{order}/cancellation"), 409)


def test_the_pages_for_people_and_tools_are_there(running_service: Service) -> None:
    assert running_service.get("/health/live").status_code == 200
    assert running_service.get("/health/ready").status_code == 200
    assert "openapi" in running_service.get("/docs").text
    assert "/orders" in running_service.get("/openapi.json").json()["paths"]
    asyncapi = running_service.get("/asyncapi", accept="text/html")
    assert "text/html" in asyncapi.headers["content-type"]
    assert "orders.order-created.v1" in asyncapi.text
    metrics = running_service.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# HELP" in metrics.text


def test_an_order_is_answered_before_its_events_are_handled(baked: Baked, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    folder = baked("sqlite", "memory")
    with Service(folder, url, "memory://", OUTBOX_PUBLISHER_ENABLED="false") as silent:
        order = new_order(silent)["id"]
        assert silent.order_status(order) == "created"
    with Service(folder, url, "memory://") as service:
        wait_until(lambda: service.order_status(order) == "paid", "the waiting order is paid")


def test_an_order_is_paid_at_once_without_waiting_for_a_poll(baked: Baked, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    folder = baked("sqlite", "memory")
    took = []
    with (
        Service(folder, url, "memory://", OUTBOX_POLL_INTERVAL=HOUR) as service,
        httpx.Client(base_url=service.url) as client,
    ):
        for _ in range(5):
            order = client.post("/orders", json={"customer": "ada", "amount": "1.00"}).json()
            path, answered = f"/orders/{order['id']}", time.monotonic()
            while client.get(path).json()["status"] != "paid":
                assert time.monotonic() - answered < 30, "not paid within 30 s"
            took.append(1000 * (time.monotonic() - answered))
    print("paid after the answer, ms:", ", ".join(f"{each:.0f}" for each in took))


def test_the_service_ends_cleanly_when_asked(running_service: Service) -> None:
    new_order(running_service)
    assert running_service.stop() in (0, 143, -15)
    assert "Traceback" not in running_service.log
