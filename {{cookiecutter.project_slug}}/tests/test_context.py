"""Ids travel with what happens: from the request through every hop, and no further."""

import asyncio

import structlog
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.context import carrying, current_context
from app.building_blocks.databases.database import Database
from tests.clients import client_of
from tests.hops import TRACE, hops, post


async def test_the_request_id_arrives_in_every_hop(client: AsyncClient, database: Database) -> None:
    order_id = await post(client, **{"X-Request-ID": "seven"})
    ids = [row.headers["correlation-id"] for row in await hops(database, order_id)]
    assert ids == ["seven", "seven", "seven"]


async def test_each_message_names_the_one_that_caused_it(
    client: AsyncClient, database: Database
) -> None:
    created, taken, paid = await hops(database, await post(client))
    assert "causation-id" not in created.headers
    assert taken.headers["causation-id"] == created.message_id
    assert paid.headers["causation-id"] == taken.message_id


async def test_the_trace_context_arrives_in_every_hop(
    client: AsyncClient, database: Database
) -> None:
    order_id = await post(client, traceparent=TRACE, tracestate="vendor=1")
    for row in await hops(database, order_id):
        assert (row.headers["traceparent"], row.headers["tracestate"]) == (TRACE, "vendor=1")


async def test_nothing_leaks_into_the_next_message(client: AsyncClient, database: Database) -> None:
    names = [f"request {number}" for number in range(20)]
    plain = await post(client, **{"X-Request-ID": "first", "traceparent": TRACE})
    await hops(database, plain)
    order_ids = await asyncio.gather(*(post(client, **{"X-Request-ID": name}) for name in names))
    for name, order_id in zip(names, order_ids, strict=True):
        for row in await hops(database, order_id):
            assert row.headers["correlation-id"] == name
            assert "traceparent" not in row.headers
    assert current_context() == {}


async def test_requests_without_an_id_never_share_one(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    async with client_of(app) as other:
        order_ids = [await post(one) for one in (client, other)]
    ids = {row.headers["correlation-id"] for id in order_ids for row in await hops(database, id)}
    assert len(ids) == 2


def test_what_was_carried_before_comes_back() -> None:
    with carrying({"correlation-id": "outer", "traceparent": TRACE}):
        with carrying({"correlation-id": "inner", "x-secret": "not carried"}, consumer="me"):
            assert current_context() == {"correlation-id": "inner"}
            assert structlog.contextvars.get_contextvars()["consumer"] == "me"
        assert current_context() == {"correlation-id": "outer", "traceparent": TRACE}
        assert "consumer" not in structlog.contextvars.get_contextvars()
    assert current_context() == {}
    assert structlog.contextvars.get_contextvars() == {}
