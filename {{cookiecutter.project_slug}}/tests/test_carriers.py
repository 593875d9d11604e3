"""Tenant, environment and carriers of one's own: from the request to every hop and no further."""

import pytest

from app.building_blocks.carriers import Carrier
from app.building_blocks.context import current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.outbox.table import outbox, published
from app.settings import Settings
from tests.shop import HOPS, Authentication, Shop, hops, post, rows
from tests.waiting import eventually

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORDER = {"customer": "ada", "amount": "1.00"}
ACME = {"Authorization": "acme"}


@pytest.fixture
def shop(settings: Settings) -> Shop:
    return Shop(settings)


async def test_the_tenant_of_an_authenticated_request_arrives_in_every_hop(
    shop: Shop, database: Database
) -> None:
    async with shop.serving() as client:
        await post(client, "/shop", **ACME)
        assert await hops(database, "tenant") == ["acme"] * HOPS
    assert shop.contexts[0]["tenant"] == "acme"


async def test_an_authentication_may_be_a_middleware(shop: Shop, database: Database) -> None:
    async with shop.serving(Authentication) as client:
        await post(client, "/orders", **ACME)
        assert await hops(database, "tenant") == ["acme"] * HOPS


async def test_the_tenant_is_never_taken_from_a_header_that_is_not_trusted(
    shop: Shop, database: Database
) -> None:
    async with shop.serving() as client:
        await post(client, "/orders", **{"X-Tenant-ID": "mallory", "tenant": "mallory"})
        assert await hops(database, "tenant") == [None] * HOPS
    assert "tenant" not in shop.contexts[0]


async def test_a_trusted_header_says_the_tenant_where_the_authentication_does_not(
    shop: Shop, database: Database
) -> None:
    async with shop.serving(trust_tenant_header="X-Tenant-ID") as client:
        await post(client, "/orders", **{"x-tenant-id": "acme"})
        assert await hops(database, "tenant") == ["acme"] * HOPS
        await post(client, "/shop", **{"Authorization": "other", "X-Tenant-ID": "mallory"})
        tenants = await hops(database, "tenant", 2 * HOPS)
    assert sorted(tenants[HOPS:], key=str) == ["other"] * HOPS


async def test_a_retry_after_a_restart_runs_in_the_context_of_its_message(
    shop: Shop, database: Database
) -> None:
    shop.error = ValueError("not now")
    async with shop.serving(retry_max_delay=3600, retry_base_delay=3600) as client:
        await post(client, "/shop", **ACME)

        async def failed() -> bool:
            return any(row.attempts == 1 and row.last_error for row in await rows(database, inbox))

        await eventually(failed, what="a failed attempt")
    shop.error = None
    async with database.begin() as connection:
        await connection.execute(inbox.update().values(next_attempt_at=inbox.c.received_at))
    async with shop.serving():
        await hops(database, "tenant")
    first, second = shop.contexts
    assert (first, second["tenant"]) == (second, "acme")


async def test_a_tenant_that_cannot_travel_stops_the_request(
    shop: Shop, database: Database
) -> None:
    carrier = Carrier("tenant", from_request=lambda request: "Zürich")
    shop.carriers = (carrier,)
    async with shop.serving() as client:
        answer = await client.post("/orders", json=ORDER)
        assert answer.status_code == 500
    assert not await rows(database, outbox)
    assert not await rows(database, published)


async def test_nothing_of_a_request_is_left_behind(shop: Shop, database: Database) -> None:
    async with shop.serving() as client:
        await post(client, "/shop", **ACME)
        await post(client, "/shop")
        tenants = await hops(database, "tenant", 2 * HOPS)
    assert sorted(tenants, key=str) == [None] * HOPS + ["acme"] * HOPS
    assert current_context() == {}


async def test_a_carrier_of_ones_own_is_one_line(settings: Settings, database: Database) -> None:
    campaign = Carrier("campaign", from_request=lambda request: request.headers.get("X-Campaign"))
    async with Shop(settings, campaign).serving() as client:
        await post(client, "/orders", **{"X-Campaign": "spring"})
        assert await hops(database, "campaign") == ["spring"] * HOPS


async def test_a_request_without_an_id_takes_that_of_its_trace(
    shop: Shop, database: Database
) -> None:
    async with shop.serving() as client:
        await post(client, "/orders", traceparent=TRACE)
        assert set(await hops(database, "correlation-id")) == {TRACE.split("-")[1]}
