"""What those who run the service ask it: health, metrics, and which events it speaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.brokers.adapter import Binding
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.http import health
from app.building_blocks.http.health import health_router
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.wiring import Wiring
from app.features import FEATURES
from app.main import create_app
from app.settings import Settings
from tests.unreachable import unreachable
from tests.waiting import eventually

STOP_DEADLINE = 5.0
TASKS = ("retention", "inbox retrier", "broker connection", "outbox publisher")


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client


async def readiness(client: AsyncClient) -> tuple[int, dict[str, Any]]:
    answer = await client.get("/health/ready")
    return answer.status_code, answer.json()


async def test_a_service_that_runs_is_live_and_becomes_ready(client: AsyncClient) -> None:
    live = await client.get("/health/live")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})

    async def ready() -> bool:
        return (await readiness(client))[0] == 200

    await eventually(ready, what="readiness")
    status, answer = await readiness(client)
    assert (status, answer["status"]) == (200, "ok")
    assert set(answer["checks"]) >= {"database", "broker", *TASKS}
    assert set(answer["checks"].values()) == {"ok"}


async def test_a_service_whose_database_is_away_is_live_and_not_ready(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    async with (
        # It also has to stop: nothing may hang on a connection that never comes.
        asyncio.timeout(STOP_DEADLINE),
        app.router.lifespan_context(app),
        client_of(app) as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
        status, answer = await readiness(client)
    assert (status, answer["status"]) == (503, "not ready")
    assert answer["checks"]["database"] not in ("ok", "")


async def test_a_part_that_is_not_running_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Database
) -> None:
    # An app that does not run closes no connection by itself.
    monkeypatch.setattr("app.main.open_database", lambda url: database)
    app = create_app(settings)
    async with client_of(app) as client:
        status, answer = await readiness(client)
    assert status == 503
    checks = answer["checks"]
    assert (checks["database"], checks["broker"]) == ("ok", "not connected yet")
    assert {name: checks[name] for name in TASKS} == {
        name: f"{name} is not running" for name in TASKS
    }


async def fine() -> str | None:
    return None


async def away() -> str | None:
    return "the moon is down"


async def broken() -> str | None:
    raise LookupError("no moon")


async def hanging() -> str | None:
    await asyncio.Event().wait()
    return None


@pytest.mark.parametrize(
    ("check", "status", "says"),
    [
        (fine, 200, "ok"),
        (away, 503, "the moon is down"),
        (broken, 503, "LookupError: no moon"),
        (hanging, 503, "no answer within 0.05 s"),
    ],
)
async def test_each_check_is_told_by_name_whatever_the_others_do(
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[[], Awaitable[str | None]],
    status: int,
    says: str,
) -> None:
    monkeypatch.setattr(health, "_LONGEST_CHECK_SECONDS", 0.05)
    app = FastAPI()
    app.include_router(health_router({"sun": fine, "moon": check}))
    async with client_of(app) as client:
        answer = await readiness(client)
    overall = "ok" if status == 200 else "not ready"
    assert answer == (status, {"status": overall, "checks": {"sun": "ok", "moon": says}})


def handled(consumer: str, topic: str) -> str:
    return f'messages_handled_total{{consumer="{consumer}",topic="{topic}"}} 1.0'


async def test_what_was_published_and_handled_is_counted(client: AsyncClient) -> None:
    await client.post("/orders", json={"customer": "ada", "amount": "1.00"})

    async def counted() -> str:
        # A scrape counts the backlog a moment before it reads the counters, or not in time.
        text = (await client.get("/metrics")).text
        last = 'events_published_total{topic="orders.order-paid.v1"} 1.0'
        none_waits = 'backlog_rows{state="waiting",table="outbox"} 0.0'
        return text if last in text and none_waits in text else ""

    metrics = await eventually(counted, what="the last event of the flow")
    for line in (
        'events_published_total{topic="orders.order-created.v1"} 1.0',
        'events_published_total{topic="payments.payment-taken.v1"} 1.0',
        handled("test-service.payments.when_order_created", "orders.order-created.v1"),
        handled("test-service.orders.when_payment_taken", "payments.payment-taken.v1"),
        'backlog_rows{state="waiting",table="outbox"} 0.0',
        'backlog_rows{state="dead",table="outbox"} 0.0',
        'backlog_rows{state="retrying",table="inbox"} 0.0',
        'backlog_rows{state="dead",table="inbox"} 0.0',
    ):
        assert line in metrics.splitlines()


async def test_what_waits_is_counted_at_each_scrape(settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"outbox_publisher_enabled": False}))
    async with app.router.lifespan_context(app), client_of(app) as client:
        for number in (1, 2):
            await client.post("/orders", json={"customer": "ada", "amount": "1.00"})
            answer = await client.get("/metrics")
            assert answer.headers["content-type"].startswith("text/plain")
            assert f'backlog_rows{{state="waiting",table="outbox"}} {number}.0' in answer.text


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
