"""An order travels over HTTP, the outbox, the broker and the inbox, and back."""

from typing import Any

from httpx import AsyncClient

from tests.waiting import eventually


async def post_order(client: AsyncClient, amount: str) -> dict[str, Any]:
    answer = await client.post("/orders", json={"customer": "ada", "amount": amount})
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


async def final_status(client: AsyncClient, order: dict[str, Any]) -> str:
    async def settled() -> str:
        status: str = (await client.get(f"/orders/{order['id']}")).json()["status"]
        return "" if status == "created" else status

    return await eventually(settled, what="a final status")


async def test_an_order_is_paid(client: AsyncClient) -> None:
    order = await post_order(client, "12.5")
    assert order["status"] == "created"
    assert order["amount"] == "12.50"

    assert await final_status(client, order) == "paid"
    [payment] = (await client.get("/payments", params={"order_id": order["id"]})).json()
    assert payment["status"] == "taken"
    assert payment["amount"] == "12.50"


async def test_an_order_that_is_too_dear_is_cancelled(client: AsyncClient) -> None:
    order = await post_order(client, "1000.01")
    assert await final_status(client, order) == "cancelled"
    [payment] = (await client.get("/payments", params={"order_id": order["id"]})).json()
    assert payment["status"] == "declined"


async def test_a_settled_order_cannot_be_cancelled(client: AsyncClient) -> None:
    order = await post_order(client, "5.00")
    await final_status(client, order)
    answer = await client.post(f"/orders/{order['id']}/cancellation")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "already paid" in answer.json()["detail"]
