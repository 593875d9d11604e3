"""What a baked service refuses, it answers with a problem (RFC 9457)."""

import uuid
from typing import Any

import httpx
import pytest
from orders import assert_problem, items, new_order
from service import Service, wait_until


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
