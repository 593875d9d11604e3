"""What the overview, the subscriptions and the flow map show of a real database."""

from datetime import timedelta

import structlog
from httpx import AsyncClient
from sqlalchemy import insert

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.replica_table import replica_minutes, replicas
from app.building_blocks.operations.states import STATES
from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import CONSUMER, TOPIC, Insert


async def test_the_overview_counts_what_waits_and_what_died(
    client: AsyncClient, database: Database, insert_inbox: Insert, insert_outbox: Insert
) -> None:
    for number in range(3):
        await insert_inbox(f"m{number}")
    await insert_outbox("o", created_at=None)
    async with database.begin() as connection:
        now = await database.now(connection)
        minute = now.replace(second=0, microsecond=0)
        one = {"replica": "r", "published": 1234, "handled": 5, "failed": 2, "dead": 1}
        await connection.execute(insert(replica_minutes).values(minute=minute, **one))
        for name, seen_at in (("alive", now), ("gone", now - timedelta(minutes=2))):
            await connection.execute(
                insert(replicas).values(
                    replica=name, host=f"{name}-host", process=7, started_at=now, seen_at=seen_at,
                    parts={"database": "", "broker": "no <b>answer</b>"},
                )
            )  # fmt: skip
    page = (await client.get("/ops")).text
    assert ">3</strong>" in page
    assert ">1</strong>" in page
    assert "1,234 in all" in page
    assert "1,234 published</title>" in page
    assert page.count("it has ended, or hangs") == 1
    assert "<b>broker</b>: no &lt;b&gt;answer&lt;/b&gt;" in page
    assert (await client.get("/ops?span=hour")).text.count('aria-current="true"') == 1
    assert (await client.get("/ops?span=nonsense")).status_code == 200


async def test_a_service_that_has_done_nothing_has_all_of_its_pages(client: AsyncClient) -> None:
    paths = [f"/ops/{state.box}/{state.name}" for state in STATES]
    for path in ("/ops", "/ops/subscriptions", "/ops/flow", *paths):
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert '<html lang="en">' in answer.text


async def test_the_subscriptions_show_their_policies(client: AsyncClient) -> None:
    page = (await client.get("/ops/subscriptions")).text.replace("<wbr>", "")
    assert 'consumer=test-service.orders.when_payment_taken">orders.when_payment_taken</a>' in page
    assert "PaymentTakenIntegrationEvent" in page
    assert "DomainError" in page
    assert "0.01 s to 0.1 s" in page


async def test_the_flow_map_draws_every_step_and_leads_to_messages(client: AsyncClient) -> None:
    page = (await client.get("/ops/flow")).text
    assert page.count('<path class="edge') == page.count('<tr role="row"><td')
    assert f'<a href="/ops/outbox/published?topic={TOPIC}"' in page
    assert f'<a href="/ops/inbox/handled?consumer={CONSUMER}"' in page
    # Each command that a consumer sends is drawn a second time.
    assert page.count(" again") == 1 + 3


async def test_the_log_says_whether_there_are_pages(settings: Settings, database: Database) -> None:
    for token, says in ((None, "set OPS_TOKEN"), (settings.ops_token, "operator pages are on")):
        app = create_app(settings.model_copy(update={"ops_token": token, "log_level": "INFO"}))
        with structlog.testing.capture_logs() as logs:
            async with app.router.lifespan_context(app):
                pass
        assert len([line for line in logs if says in line["event"]]) == 1
