"""The HTTP contract of orders and payments: what is accepted, and what is answered."""

import json
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient, Response

from tests.waiting import eventually

NOBODY = "018f0000-0000-7000-8000-000000000001"
TOO_DEAR = "1000.01"
PRICES = [
    ("12.5", "12.50"), ("7", "7.00"), ("0.01", "0.01"), (12.5, "12.50"), (3, "3.00"),
    ("1e2", "100.00"), ("9999999999.99", "9999999999.99"), (" 5.00 ", "5.00"),
]  # fmt: skip
NO_PRICES: list[Any] = [
    "0", "0.00", "-1", "-0.01", "1.234", "0.001", "10000000000.00", "1e30", "1e999999", "NaN",
    "Infinity", "-Infinity", "", "twelve", "1,50", None, True, [], {}, "1" * 5000,
]  # fmt: skip


@pytest.fixture
def client(client: AsyncClient) -> AsyncClient:
    """Every body that it sends is meant as JSON, well formed or not."""
    client.headers["content-type"] = "application/json"
    return client


async def post(client: AsyncClient, amount: Any, customer: Any = "ada") -> Response:
    return await client.post("/orders", json={"customer": customer, "amount": amount})


async def settled(client: AsyncClient, order_id: str) -> str:
    async def status() -> str:
        answer = (await client.get(f"/orders/{order_id}")).json()
        return "" if answer["status"] == "created" else str(answer["status"])

    return await eventually(status, what="a final status")


def assert_is_problem(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    return problem


async def test_an_order_is_answered_and_found_again(client: AsyncClient) -> None:
    answer = await post(client, "12.50")
    assert answer.status_code == 201
    order = answer.json()
    assert order == {
        "id": str(UUID(order["id"])), "customer": "ada", "amount": "12.50", "status": "created",
    }  # fmt: skip
    status = await settled(client, order["id"])
    found = await client.get(f"/orders/{order['id']}")
    assert (found.status_code, found.json()) == (200, order | {"status": status})


async def test_money_is_answered_with_two_places(client: AsyncClient) -> None:
    for sent, answered in PRICES:
        answer = await post(client, sent)
        assert (answer.status_code, answer.json()["amount"]) == (201, answered)
        found = await client.get(f"/orders/{answer.json()['id']}")
        assert found.json()["amount"] == answered


async def test_an_amount_that_is_no_price_is_refused(client: AsyncClient) -> None:
    for amount in NO_PRICES:
        problem = assert_is_problem(await post(client, amount), 422)
        assert [error["location"] for error in problem["errors"]] == [["body", "amount"]], amount


async def test_a_customer_without_a_usable_name_is_refused(client: AsyncClient) -> None:
    for customer in ("", "x" * 201, None, 1, "half of an emoji \ud83c", "NUL \0"):
        # Written as ASCII, so that what UTF-8 cannot hold arrives all the same.
        content = json.dumps({"customer": customer, "amount": "1.00"}).encode("ascii")
        problem = assert_is_problem(await client.post("/orders", content=content), 422)
        assert [error["location"] for error in problem["errors"]] == [["body", "customer"]]


async def test_a_name_is_kept_as_it_was_written(client: AsyncClient) -> None:
    for customer in ("Zoë 🎲", "שלום", "x" * 200, "O'Hara; DROP TABLE orders --"):
        order_id = (await post(client, "1.00", customer)).json()["id"]
        assert (await client.get(f"/orders/{order_id}")).json()["customer"] == customer


async def test_a_body_that_is_no_order_is_refused(client: AsyncClient) -> None:
    for body in (b"", b"{", b"[]", b"null", b'{"customer": "ada"}'):
        assert assert_is_problem(await client.post("/orders", content=body), 422)["errors"], body


async def test_a_body_that_is_no_text_is_refused(client: AsyncClient) -> None:
    assert_is_problem(await client.post("/orders", content=b"\xff"), 422)


async def test_a_field_that_nobody_knows_is_refused(client: AsyncClient) -> None:
    order = {"customer": "ada", "amount": "1.00", "status": "paid"}
    problem = assert_is_problem(await client.post("/orders", json=order), 422)
    assert [error["location"] for error in problem["errors"]] == [["body", "status"]]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/orders/{NOBODY}"), ("POST", f"/orders/{NOBODY}/cancellation")]
)
async def test_an_unknown_order_is_not_found(client: AsyncClient, method: str, path: str) -> None:
    problem = assert_is_problem(await client.request(method, path), 404)
    assert problem["detail"] == f"Order {NOBODY} does not exist"


@pytest.mark.parametrize("amount", ["5.00", TOO_DEAR])
async def test_a_settled_order_cannot_be_cancelled(client: AsyncClient, amount: str) -> None:
    order_id = (await post(client, amount)).json()["id"]
    status = await settled(client, order_id)
    problem = assert_is_problem(await client.post(f"/orders/{order_id}/cancellation"), 409)
    assert problem["detail"] == f"Order {order_id} is already {status}"


async def test_the_payments_of_an_unknown_order_are_none(client: AsyncClient) -> None:
    answer = await client.get("/payments", params={"order_id": NOBODY})
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("query", ["", "?order_id=7", f"?order_id={NOBODY}&status=taken"])
async def test_a_question_about_payments_that_makes_no_sense_is_refused(
    client: AsyncClient, query: str
) -> None:
    assert_is_problem(await client.get(f"/payments{query}"), 422)
