"""Orders over HTTP while nothing is published, so that they stay as they are."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.databases.database import Database
from app.main import create_app
from app.settings import Settings


@pytest_asyncio.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The service without its publisher."""
    app = create_app(settings.model_copy(update={"outbox_publisher_enabled": False}))
    async with app.router.lifespan_context(app):
        yield app


async def post(client: AsyncClient, customer: str) -> str:
    answer = await client.post("/orders", json={"customer": customer, "amount": "1.00"})
    return str(answer.json()["id"])


async def page(client: AsyncClient, **params: Any) -> tuple[list[str], str | None]:
    answer = await client.get("/orders", params=params)
    assert answer.status_code == 200, answer.text
    return [order["customer"] for order in answer.json()["items"]], answer.json()["next"]


async def test_an_open_order_can_be_cancelled_once(client: AsyncClient) -> None:
    order_id = await post(client, "ada")
    first = await client.post(f"/orders/{order_id}/cancellation")
    assert (first.status_code, first.content) == (204, b"")
    assert (await client.get(f"/orders/{order_id}")).json()["status"] == "cancelled"

    second = await client.post(f"/orders/{order_id}/cancellation")
    assert second.status_code == 409
    assert second.headers["content-type"] == "application/problem+json"
    assert second.json()["detail"] == f"Order {order_id} is already cancelled"


async def test_orders_are_listed_page_by_page_newest_first(client: AsyncClient) -> None:
    for number in range(5):
        await post(client, f"customer {number}")

    first, after = await page(client, limit=2)
    assert first == ["customer 4", "customer 3"]
    await post(client, "a newer one does not move the pages")
    second, after = await page(client, limit=2, after=after)
    assert second == ["customer 2", "customer 1"]
    assert await page(client, limit=2, after=after) == (["customer 0"], None)


async def test_a_last_page_that_is_full_names_no_next_one(client: AsyncClient) -> None:
    for number in range(2):
        await post(client, f"customer {number}")
    assert await page(client, limit=2) == (["customer 1", "customer 0"], None)


async def test_a_page_holds_20_orders_unless_told_otherwise(client: AsyncClient) -> None:
    assert await page(client) == ([], None)
    for number in range(21):
        await post(client, f"customer {number}")
    customers, after = await page(client)
    assert len(customers) == 20
    assert await page(client, after=after) == (["customer 0"], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=x", "before=now"])
async def test_a_page_that_makes_no_sense_is_refused(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"/orders?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    name = query.partition("=")[0]
    assert [error["location"] for error in answer.json()["errors"]] == [["query", name]]
