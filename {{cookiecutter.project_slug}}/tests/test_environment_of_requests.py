"""To which environment a request and all that it causes belong."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.settings import Settings
from tests.shop import HOPS, Shop, hops, post, rows


@pytest.fixture
def shop(settings: Settings) -> Shop:
    return Shop(settings)


async def test_a_canary_stamps_what_its_own_requests_cause(shop: Shop, database: Database) -> None:
    async with shop.serving(environment="canary") as client:
        await post(client, "/orders", **{"X-Environment": "elsewhere"})
        assert await hops(database, "environment") == ["canary"] * HOPS
    assert {row.environment for row in await rows(database, inbox)} == {"canary"}


@pytest.mark.parametrize(("said", "stamped"), [("ghost", "ghost"), ("NO WAY", None), ("", None)])
async def test_a_trusted_header_says_the_environment(
    shop: Shop, database: Database, said: str, stamped: str | None
) -> None:
    async with shop.serving(trust_environment_header="X-Environment") as client:
        await post(client, "/orders", **{"X-Environment": said})
        # It does not exist, so the default deployment handles it, and it travels on.
        assert await hops(database, "environment") == [stamped] * HOPS
