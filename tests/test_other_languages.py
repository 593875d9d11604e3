"""The wire format, seen by programs that share no line of code with a service."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from another_language import heard, listening, publish
from bakery import BROKERS
from brokers import scratch_broker
from conftest import Baked
from service import Service, wait_until

TOPIC = "orders.order-created.v1"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CUSTOMER = "Ada Łovelace 🎈"
# How each broker's CloudEvents binding begins the name of an attribute.
PREFIX = {"rabbitmq": "cloudEvents:", "kafka": "ce_", "nats": "ce-", "redis": "ce-"}

pytestmark = [
    pytest.mark.parametrize("broker", BROKERS[1:]),
    # The Kafka client waits for a group of its own: not beside another load.
    pytest.mark.xdist_group("languages"),
]


@pytest.fixture
def service(broker: str, baked: Baked, tmp_path: Path) -> Iterator[Service]:
    with (
        scratch_broker(broker) as broker_url,
        Service(
            baked("sqlite", broker), f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}", broker_url
        ) as service,
    ):
        yield service


def test_a_program_in_another_language_receives_what_the_service_published(
    broker: str, service: Service
) -> None:
    with listening(broker, service.settings["BROKER_URL"], TOPIC) as program:
        order = service.post(
            "/orders",
            {"customer": CUSTOMER, "amount": "12.50"},
            **{"traceparent": TRACEPARENT, "X-Request-ID": "request 7"},
        ).json()
        message = heard(program)
    assert json.loads(message["body"]) == {
        "order_id": order["id"],
        "customer": CUSTOMER,
        "amount": "12.50",
    }
    headers = message["headers"]
    attributes = {
        name.removeprefix(PREFIX[broker]): text
        for name, text in headers.items()
        if name.startswith(PREFIX[broker])
    }
    if broker == "nats":
        assert attributes.pop("datacontenttype") == "application/json"
    assert set(attributes) == {"specversion", "id", "type", "source", "time", "subject"}
    assert uuid.UUID(attributes["id"]).version == 7
    assert attributes["specversion"] == "1.0"
    assert attributes["type"] == TOPIC
    assert attributes["source"] == "/my-service"
    assert attributes["subject"] == order["id"]
    assert headers["content-type"] == "application/json"
    assert headers["traceparent"] == TRACEPARENT
    assert headers["correlation-id"] in ("request 7", "request%207")
    if broker == "kafka":
        assert message["key"] == order["id"]


def test_a_handler_handles_what_a_program_in_another_language_published(
    broker: str, service: Service
) -> None:
    order_id = str(uuid.uuid4())
    message = event_of(PREFIX[broker], order_id)
    # Twice: what it sends again has no second effect.
    for _ in range(2):
        publish(broker, service.settings["BROKER_URL"], TOPIC, message)
    wait_until(lambda: bool(service.payments(order_id)), "the payment is taken")
    wait_until(lambda: duplicates(service) == 1, "the duplicate has arrived")
    [payment] = service.payments(order_id)
    assert (payment["amount"], payment["status"]) == ("5.00", "taken")


def event_of(prefix: str, order_id: str) -> dict[str, Any]:
    """An event as a Go or Java service would send it, with an extra field for good measure."""
    attributes = {"specversion": "1.0", "id": f"a-{order_id}", "type": TOPIC, "source": "/shop"}
    headers = {f"{prefix}{name}": text for name, text in attributes.items()}
    body = {"order_id": order_id, "customer": CUSTOMER, "amount": "5.00", "coupon": None}
    return {
        "headers": headers | {"content-type": "application/json"},
        "key": order_id,
        "body": json.dumps(body, ensure_ascii=False),
    }


def duplicates(service: Service) -> int:
    """Deliveries that the payments' handler has recognised as known already."""
    consumer, topic = "my-service.payments.when_order_created", "orders.order-created.v1"
    line = f'messages_duplicate_total{{consumer="{consumer}",topic="{topic}"}} '
    found = [
        text.removeprefix(line)
        for text in service.get("/metrics").text.splitlines()
        if text.startswith(line)
    ]
    return int(float(found[0])) if found else 0
