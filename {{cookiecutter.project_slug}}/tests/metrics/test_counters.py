"""What became of each message is counted by topic and consumer, and how long it took."""

from datetime import UTC, datetime, timedelta

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics, observe_lag
from app.building_blocks.retry_policy import RetryPolicy
from app.features import FEATURES
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.clients import serving
from tests.metrics.scraping import CREATED, PAID, Samples, order, scrape, value
from tests.waiting import eventually


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
    observe_lag(metrics.publish_lag.labels("tests.t.v1"), headers)
    labels = {"topic": "tests.t.v1"}
    value = metrics.registry.get_sample_value
    is_observed = value("event_publish_lag_seconds_count", labels)
    return value("event_publish_lag_seconds_sum", labels) if is_observed else None


def test_a_lag_is_never_negative() -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert 3600 <= (lag_of({"ce-time": (now - hour).isoformat()}) or 0) < 3700
    # Another machine's clock may be ahead.
    assert lag_of({"ce-time": (now + hour).isoformat()}) == 0


@pytest.mark.parametrize("written", [{}, {"ce-time": "yesterday"}, {"ce-time": "2026-01-01T10:00"}])
def test_a_lag_is_never_made_up(written: dict[str, str]) -> None:
    assert lag_of(written) is None
