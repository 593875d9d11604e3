"""One trace leads through two services, over a real broker."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
from bakery import BROKERS
from brokers import scratch_broker
from conftest import Baked
from service import check, environment

# Orders runs in one service and payments in another, each with a database and an exporter of its
# own: all that they share is the broker.
DRIVER = """
import asyncio, json, sys
from httpx import ASGITransport, AsyncClient
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from app.features.orders.feature import orders
from app.features.payments.feature import payments
from app.main import create_app
from app.settings import Settings
from tests.waiting import eventually

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

def traced(name, feature, database_url):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(service_name=name, database_url=database_url)
    return create_app(settings, [feature], spans=provider), exporter

async def main(shop_url, bank_url):
    shop, at_shop = traced("shop", orders, shop_url)
    bank, at_bank = traced("bank", payments, bank_url)
    async with bank.router.lifespan_context(bank), shop.router.lifespan_context(shop):
        for app in (shop, bank):
            await eventually(app.state.broker.is_connected, deadline=60, what="a connection")
        async with AsyncClient(transport=ASGITransport(shop), base_url="http://shop") as client:
            order = {"customer": "ada", "amount": "12.50"}
            answer = await client.post("/orders", json=order, headers={"traceparent": CALLER})
            where = f"/orders/{answer.json()['id']}"

            async def paid():
                return (await client.get(where)).json()["status"] == "paid"

            await eventually(paid, deadline=60, what="a paid order")

            async def all_sent():
                names = [span.name for span in at_shop.get_finished_spans()]
                return "send orders.order-paid.v1" in names

            await eventually(all_sent, what="the last send")
        async with AsyncClient(transport=ASGITransport(bank), base_url="http://bank") as client:
            metrics = (await client.get("/metrics")).text
    spans = [*at_shop.get_finished_spans(), *at_bank.get_finished_spans()]
    print(json.dumps({"spans": [json.loads(span.to_json()) for span in spans], "metrics": metrics}))

asyncio.run(main(*sys.argv[1:]))
"""
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DEADLINE = 200.0  # seconds
CREATED, TAKEN, PAID = (
    "orders.order-created.v1",
    "payments.payment-taken.v1",
    "orders.order-paid.v1",
)
WAY = [
    ("shop", "POST /orders"),
    ("shop", "CreateOrder"),
    ("shop", f"send {CREATED}"),
    ("bank", f"process {CREATED}"),
    ("bank", "TakePayment"),
    ("bank", f"send {TAKEN}"),
    ("shop", f"process {TAKEN}"),
    ("shop", "PayOrder"),
    ("shop", f"send {PAID}"),
]


Told = dict[str, Any]


@pytest.fixture(scope="module", params=[name for name in BROKERS if name != "memory"])
def told(
    request: pytest.FixtureRequest, baked: Baked, tmp_path_factory: pytest.TempPathFactory
) -> Told:
    """The broker's name, every span of both services, and what the bank tells Prometheus."""
    broker, folder = request.param, tmp_path_factory.mktemp("tracing")
    service = baked("sqlite", broker)
    urls = [f"sqlite+aiosqlite:///{folder / name}.db" for name in ("shop", "bank")]
    for url in urls:
        check(service, "alembic", "upgrade", "head", DATABASE_URL=url)
    with scratch_broker(broker) as broker_url:
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, *urls],
            cwd=service,
            env=environment(BROKER_URL=broker_url),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-6000:]
    return {"broker": broker, **json.loads(done.stdout)}


def test_one_trace_leads_from_a_request_through_two_services(told: Told) -> None:
    by_place = {
        (span["resource"]["attributes"]["service.name"], span["name"]): span
        for span in told["spans"]
    }
    way = [by_place[place] for place in WAY]
    assert way[0]["parent_id"] == f"0x{CALLER.split('-')[2]}"
    for before, after in pairwise(way):
        assert after["parent_id"] == before["context"]["span_id"], after["name"]
    assert {span["context"]["trace_id"] for span in way} == {f"0x{CALLER.split('-')[1]}"}


def test_its_spans_are_named_by_the_conventions_for_messaging(told: Told) -> None:
    [sent] = [span for span in told["spans"] if span["name"] == f"send {CREATED}"]
    [processed] = [span for span in told["spans"] if span["name"] == f"process {CREATED}"]
    assert (sent["kind"], processed["kind"]) == ("SpanKind.PRODUCER", "SpanKind.CONSUMER")
    for span, operation in ((sent, "send"), (processed, "process")):
        assert span["attributes"]["messaging.system"] == told["broker"]
        assert span["attributes"]["messaging.destination.name"] == CREATED
        assert span["attributes"]["messaging.operation.type"] == operation
    group = processed["attributes"]["messaging.consumer.group.name"]
    assert group == "bank.payments.when_order_created"
    ids = {span["attributes"]["messaging.message.id"] for span in (sent, processed)}
    assert len(ids) == 1


def test_faststream_counts_what_this_broker_delivers(told: Told) -> None:
    acked = re.findall(
        r"^faststream_received_messages_total\{.*\} (\S+)", told["metrics"], re.MULTILINE
    )
    assert [float(number) for number in acked] == [1.0]
