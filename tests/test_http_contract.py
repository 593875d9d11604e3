"""The HTTP calls of a baked service, as tools drive them from outside."""

import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Baked
from service import Service, wait_until

PROBLEM = "application/problem+json"
HOUR = "3600"


def new_order(service: Service, amount: str = "12.50") -> dict[str, str]:
    """Post an order; gives the answer's body."""
    answer = service.post("/orders", {"customer": "ada", "amount": amount})
    assert answer.status_code == 201, answer.text
    order: dict[str, str] = answer.json()
    return order


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The body of an answer that must be a problem (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert "Traceback" not in answer.text
    return body


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


def items(answer: httpx.Response) -> list[dict[str, str]]:
    """The orders of a page, which may be the list itself or hold it under a name."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found: list[dict[str, str]] = body if isinstance(body, list) else body["items"]
    return found


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


def test_a_paid_order_cannot_be_cancelled(running_service: Service) -> None:
    order = new_order(running_service)["id"]
    wait_until(lambda: running_service.order_status(order) == "paid", "the order is paid")
    problem = assert_problem(running_service.post(f"/orders/{order}/cancellation"), 409)
    assert "paid" in problem["detail"]


def test_what_is_not_there_is_404(running_service: Service) -> None:
    nobody = uuid.uuid4()
    assert_problem(running_service.get(f"/orders/{nobody}"), 404)
    assert_problem(running_service.post(f"/orders/{nobody}/cancellation"), 404)
    assert_problem(running_service.get("/nowhere"), 404)
    assert running_service.payments(str(nobody)) == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"customer": "ada"},
        {"customer": "", "amount": "1.00"},
        {"customer": "ada", "amount": "much"},
        {"customer": "ada", "amount": "-1.00"},
        {"customer": "ada", "amount": "0.00"},
        {"customer": "ada", "amount": "1.001"},
        {"customer": "ada", "amount": "NaN"},
        {"customer": "ada", "amount": "1e400"},
        {"customer": "a" * 100_000, "amount": "1.00"},
    ],
    ids=str,
)
def test_a_bad_order_is_422(body: Any, running_service: Service) -> None:
    assert_problem(running_service.post("/orders", body), 422)
    assert items(running_service.get("/orders")) == []


def test_other_bad_input_is_422(running_service: Service) -> None:
    assert_problem(running_service.get("/orders/not-a-uuid"), 422)
    assert_problem(running_service.get("/orders?limit=-1"), 422)
    assert_problem(running_service.get("/orders?limit=1000000"), 422)
    assert_problem(running_service.get("/payments?order_id=x"), 422)
    not_json = httpx.post(
        f"{running_service.url}/orders", content=b"{", headers={"content-type": "application/json"}
    )
    assert_problem(not_json, 422)


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
