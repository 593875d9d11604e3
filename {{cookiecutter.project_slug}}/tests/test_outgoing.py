"""Carriers as they are declared, and on requests to other services."""

import httpx
import pytest
from fastapi import Request
from httpx import AsyncClient

from app.building_blocks.carriers import Carrier, Carriers, from_state
from app.building_blocks.context import carrying
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.http.outgoing import add_context, outgoing_headers

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_requests_to_other_services_carry_the_context() -> None:
    carriers = Carriers((Carrier("tenant", http_header="X-Tenant-ID"), Carrier("campaign")))
    here = {
        "correlation-id": "seven",
        "causation-id": "six",
        "traceparent": TRACE,
        "tenant": "acme",
        "campaign": "spring",
        "environment": "canary",
    }
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    async with AsyncClient(
        transport=httpx.MockTransport(answer), event_hooks={"request": [add_context]}
    ) as client:
        with carrying(here, carriers):
            await client.get("http://other/")
            await client.get("http://other/", headers={"X-Tenant-ID": "mine"})
        await client.get("http://other/")
    first, second, third = (request.headers for request in seen)
    expected = {
        "x-request-id": "seven",
        "traceparent": TRACE,
        "x-tenant-id": "acme",
        "x-campaign": "spring",
        "x-environment": "canary",
    }
    assert {name: first[name] for name in expected} == expected
    assert second["x-tenant-id"] == "mine"
    assert not set(expected) & set(third)
    assert outgoing_headers() == {}


def test_carriers_that_cannot_work_are_named_at_the_start() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Carriers(
            (Carrier("Tenant"), Carrier("traceparent"), Carrier("ce-id"), Carrier("tenant")),
            {"user": "X-User", "environment": "X-Environment"},
        )
    assert len(refused.value.problems) == 4


def test_what_authentication_left_behind_is_read_as_text() -> None:
    request = Request({"type": "http", "headers": [], "state": {"tenant": 7}})
    assert from_state("tenant")(request) == "7"
    assert from_state("user")(request) is None
