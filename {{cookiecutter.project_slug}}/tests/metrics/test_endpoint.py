"""Prometheus reads what was published and handled, and what waits at each scrape."""

from httpx import AsyncClient

from app.building_blocks.databases.database import Database
from app.main import create_app
from app.settings import Settings
from tests.clients import client_of
from tests.waiting import eventually


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
