"""The service describes itself: its events as AsyncAPI, its HTTP as OpenAPI."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.brokers.adapter import Binding
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from app.main import create_app
from app.settings import Settings
from tests.clients import client_of


@pytest.fixture
def described(settings: Settings) -> FastAPI:
    """The app without its lifespan: describing itself needs no database."""
    return create_app(settings)


async def test_the_asyncapi_document_names_every_event_and_consumer(described: FastAPI) -> None:
    async with client_of(described) as client:
        answer = await client.get("/asyncapi")
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert (document["asyncapi"], document["info"]["title"]) == ("3.0.0", "test-service")

    subscriptions = [one for feature in FEATURES for one in feature.subscriptions]
    assert {subscription.event.topic for subscription in subscriptions} <= set(document["channels"])
    titles = {operation.get("title") for operation in document["operations"].values()}
    assert {f"test-service.{subscription.name}" for subscription in subscriptions} <= titles
    assert "send.orders.order-created.v1" in document["operations"]

    message = document["components"]["messages"]["orders.order-created.v1"]
    assert set(message["payload"]["properties"]) == {"order_id", "customer", "amount"}
    assert message["payload"]["properties"]["amount"]["type"] == "string"
    assert {"ce-id", "ce-type", "ce-source", "ce-subject"} <= set(message["headers"]["properties"])


def test_events_of_one_name_on_two_topics_keep_their_own_schemas() -> None:
    def first() -> type[IntegrationEvent]:
        class MovedIntegrationEvent(IntegrationEvent):
            topic = "tests.moved.v1"
            old: str

        return MovedIntegrationEvent

    def second() -> type[IntegrationEvent]:
        class MovedIntegrationEvent(IntegrationEvent):
            topic = "tests.moved.v2"
            new: str

        return MovedIntegrationEvent

    async def when_moved(event: Any, mediator: Any) -> None: ...

    async def when_moved_again(event: Any, mediator: Any) -> None: ...

    feature = Feature("tests")
    feature.subscribe(first(), when_moved)
    feature.subscribe(second(), when_moved_again)
    contract = AsyncApi("shop", "memory://", Binding("memory", "ce-", "memory"))
    document = contract.document(Wiring([feature]))
    messages = document["components"]["messages"]
    assert list(messages["tests.moved.v1"]["payload"]["properties"]) == ["old"]
    assert list(messages["tests.moved.v2"]["payload"]["properties"]) == ["new"]
    channel = document["channels"]["tests.moved.v2"]["messages"]["MovedIntegrationEvent"]
    assert channel["$ref"] == "#/components/messages/tests.moved.v2"


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("broker://ada:secret@one:1,two:2", ["one:1", "two:2"]),
        ("broker://ada:secret@one:1,broker://ada:secret@two:2?keep=1", ["one:1", "two:2"]),
        ("broker://ada:sec,ret@one:1/vh", ["one:1"]),
        ("broker://:sec/ret@one:1", ["one:1"]),
        ("broker://ada:s@cret@one:1", ["one:1"]),
        ("memory://", []),
    ],
)
def test_the_asyncapi_document_names_each_server_of_the_broker_without_a_login(
    url: str, hosts: list[str]
) -> None:
    document = AsyncApi("shop", url, Binding("secure", "ce-", "broker")).document(Wiring([]))
    servers = document.get("servers", {})
    assert list(servers.values()) == [{"host": host, "protocol": "secure"} for host in hosts]


async def test_every_reference_in_the_asyncapi_document_leads_somewhere(described: FastAPI) -> None:
    async with client_of(described) as client:
        document = (await client.get("/asyncapi")).json()
    references = list(_references(document))
    assert references
    for reference in references:
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


async def test_people_get_the_asyncapi_document_as_a_page(described: FastAPI) -> None:
    async with client_of(described) as client:
        answer = await client.get("/asyncapi", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")
    for text in ("orders.order-created.v1", "test-service.payments.when_order_created"):
        assert text in answer.text


async def test_the_openapi_page_is_there(described: FastAPI) -> None:
    async with client_of(described) as client:
        assert (await client.get("/docs")).status_code == 200
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/orders", "/orders/{order_id}", "/orders/{order_id}/cancellation"} <= set(paths)
