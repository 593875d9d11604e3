"""A header that is trusted is either believed or a reason to refuse, and never lost in silence."""

import pytest
from httpx import AsyncClient

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.table import outbox, published
from app.settings import Settings
from tests.shop import ORDER, Shop, rows


async def posted(client: AsyncClient, tenant: bytes) -> int:
    headers = [(b"x-tenant-id", tenant)]
    return (await client.post("/orders", json=ORDER, headers=headers)).status_code


@pytest.mark.parametrize("tenant", ["Zürich".encode(), b"x" * 600])
async def test_a_trusted_tenant_that_cannot_travel_stops_the_request(
    settings: Settings, database: Database, tenant: bytes
) -> None:
    async with Shop(settings).serving(trust_tenant_header="X-Tenant-ID") as client:
        assert await posted(client, tenant) == 500
        assert not await rows(database, outbox)
        assert not await rows(database, published)
        assert await posted(client, b"acme") == 201
        assert await posted(client, b"") == 201, "an empty one says nothing"
