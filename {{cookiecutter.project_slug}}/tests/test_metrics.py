"""What Prometheus is told: by topic and consumer, quickly, and also when the database is away."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.http import metrics as endpoint
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics, observe_lag
from app.building_blocks.operations.backlog import Backlog
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.table import outbox
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.guarantees.scripted_broker import ScriptedBroker
from tests.unreachable import unreachable
from tests.waiting import eventually

CREATED, PAID = "orders.order-created.v1", "orders.order-paid.v1"
DASHBOARD = Path(__file__).parents[1] / "deploy" / "monitoring" / "grafana.json"

Samples = dict[tuple[str, frozenset[str]], float]


async def scrape(client: AsyncClient) -> Samples:
    """Every sample by its name and the values of its labels."""
    text = (await client.get("/metrics")).text
    families = text_string_to_metric_families(text)
    samples = (sample for family in families for sample in family.samples)
    return {(one.name, frozenset(one.labels.values())): one.value for one in samples}


def value(samples: Samples, name: str, *labels: str) -> float:
    return samples[name, frozenset(labels)]


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        yield client


async def order(client: AsyncClient) -> None:
    await client.post("/orders", json={"customer": "ada", "amount": "1.00"})


class Moody:
    """One handler fails at its first run, another always."""

    def __init__(self) -> None:
        self.runs = 0
        self.feature = Feature("moody")
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.fails_once)
        never = RetryPolicy(max_retries=0)
        self.feature.subscribe(OrderCreatedIntegrationEvent, self.always_fails, retry=never)

    async def fails_once(self, event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        self.runs += 1
        if self.runs == 1:
            raise LookupError("not yet")

    async def always_fails(self, event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        raise LookupError("never")


async def test_what_became_of_each_message_is_counted_by_topic_and_consumer(
    settings: Settings, database: Database
) -> None:
    once = (CREATED, "test-service.moody.fails_once")
    never = (CREATED, "test-service.moody.always_fails")
    async with serving(create_app(settings, [*FEATURES, Moody().feature])) as client:
        begun = await scrape(client)
        await order(client)

        async def done() -> Samples:
            samples = await scrape(client)
            is_done = value(samples, "messages_handled_total", *once) == 1
            return samples if is_done and value(samples, "messages_dead_total", *never) else {}

        samples = await eventually(done, what="a retry and a dead letter")
    expected = {once: (1, 1, 1, 0), never: (0, 1, 0, 1)}
    for labels, counts in expected.items():
        for what, count in zip(("handled", "failed", "retried", "dead"), counts, strict=True):
            # From 0 on, because an increase from nothing is none for Prometheus.
            assert value(begun, f"messages_{what}_total", *labels) == 0
            assert value(samples, f"messages_{what}_total", *labels) == count, (what, labels)
    assert value(samples, "message_handling_seconds_count", *once) == 2
    assert value(samples, "message_handle_lag_seconds_count", *once) == 1
    assert value(samples, "event_publish_lag_seconds_count", CREATED) == 1
    assert value(samples, "event_publishing_seconds_count", CREATED) == 1
    assert value(samples, "backlog_rows", "inbox", "dead") == 1
    assert value(samples, "backlog_oldest_seconds", "inbox", "dead") >= 0


async def test_faststream_tells_its_own_numbers_beside(
    settings: Settings, database: Database
) -> None:
    async with serving(create_app(settings)) as client:
        await order(client)

        async def counted() -> Samples:
            samples = await scrape(client)
            last = ("test-service", "memory", PAID, "success")
            sent = samples.get(("faststream_published_messages_total", frozenset(last)))
            return samples if sent == 1 else {}

        samples = await eventually(counted, what="the last publish")
    received = ("test-service", "memory", "test-service.payments.when_order_created", "acked")
    assert value(samples, "faststream_received_processed_messages_total", *received) == 1


def lag_of(headers: dict[str, str]) -> float | None:
    metrics = Metrics()
    observe_lag(metrics.publish_lag, headers, "tests.t.v1")
    labels = {"topic": "tests.t.v1"}
    return metrics.registry.get_sample_value("event_publish_lag_seconds_sum", labels)


def test_a_lag_is_never_negative() -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert 3600 <= (lag_of({"ce-time": (now - hour).isoformat()}) or 0) < 3700
    # Another machine's clock may be ahead.
    assert lag_of({"ce-time": (now + hour).isoformat()}) == 0


@pytest.mark.parametrize("written", [{}, {"ce-time": "yesterday"}, {"ce-time": "2026-01-01T10:00"}])
def test_a_lag_is_never_made_up(written: dict[str, str]) -> None:
    assert lag_of(written) is None


async def test_what_waits_is_counted_up_to_a_limit_and_has_an_age(
    settings: Settings, database: Database
) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    rows = [
        {"message_id": str(uuid4()), "topic": "t.v1", "payload": "{}", "created_at": an_hour_ago}
        for _ in range(10_005)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(outbox), rows)
    quiet = settings.model_copy(update={"outbox_publisher_enabled": False})
    async with serving(create_app(quiet)) as client:
        samples = await scrape(client)
    assert value(samples, "backlog_rows", "outbox", "waiting") == 10_000
    assert 3590 < value(samples, "backlog_oldest_seconds", "outbox", "waiting") < 3900
    assert value(samples, "backlog_oldest_seconds", "outbox", "dead") == 0
    assert value(samples, "database_up") == 1
    assert value(samples, "publisher_state") == 0


async def test_the_counters_are_served_while_the_database_is_away(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        samples = await scrape(client)
    assert value(samples, "events_published_total", CREATED) == 0
    assert value(samples, "database_up") == 0
    assert not [name for name, _ in samples if name.startswith("backlog_")]


async def test_a_database_that_does_not_answer_holds_no_scrape_up(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(database: Database, *, only_open: bool) -> list[Backlog]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(endpoint, "backlogs", hang)
    monkeypatch.setattr(endpoint, "_LONGEST_LOOK_SECONDS", 0.05)
    app = create_app(settings)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        started = time.monotonic()
        samples = await scrape(client)
    assert time.monotonic() - started < 2
    assert value(samples, "database_up") == 0


async def test_the_publishers_state_follows_its_broker(database: Database) -> None:
    metrics, broker, wake_up = Metrics(), ScriptedBroker(), WakeUp()

    def state() -> float | None:
        return metrics.registry.get_sample_value("publisher_state")

    def at(number: float) -> Any:
        async def is_at() -> bool:
            return state() == number

        return is_at

    publisher = Publisher(
        Claims(database), broker, wake_up, metrics, refusals=RetryPolicy(), poll_interval=0.02
    )
    assert state() == 0
    async with BackgroundTask("publisher", publisher.run, wake_up):
        await eventually(at(1), what="a publisher that publishes")
        broker.is_away = True
        async with database.begin() as connection:
            row = {"message_id": str(uuid4()), "topic": "t.v1", "payload": "{}"}
            await connection.execute(insert(outbox), [row])
        await eventually(at(0), what="a publisher that pauses")
        broker.is_away = False
        await eventually(at(1), what="a publisher that publishes again")
    assert state() == 0


def expressions(node: Any) -> Iterator[str]:
    """Every query below a panel."""
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for child in node.values():
            yield from expressions(child)
    elif isinstance(node, list):
        for child in node:
            yield from expressions(child)


async def test_the_dashboard_asks_for_nothing_but_what_there_is(
    settings: Settings, database: Database
) -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    async with serving(create_app(settings)) as client:
        await order(client)
        text = (await client.get("/metrics")).text
    # A histogram without a sample yet shows in its family only.
    known: set[str] = set()
    for family in re.findall("^# TYPE (\\S+)", text, re.MULTILINE):
        known |= {family, f"{family}_bucket", f"{family}_count", f"{family}_sum"}
    assert dashboard["panels"]
    for panel in dashboard["panels"]:
        asked = list(expressions(panel))
        assert asked, panel["title"]
        for expression in asked:
            names = set(re.findall(r"([a-z_]+)\{", expression))
            assert names, expression
            assert names <= known, (panel["title"], names - known)


def test_the_dashboard_has_what_grafana_needs() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    assert dashboard["title"]
    assert dashboard["schemaVersion"] >= 39
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == (
        "datasource", "prometheus",
    )  # fmt: skip
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        assert {"type", "title", "description", "gridPos", "targets"} <= set(panel)
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
