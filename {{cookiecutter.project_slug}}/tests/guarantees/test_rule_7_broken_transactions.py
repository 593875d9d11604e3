"""Rule 7: an attempt counts also when its transaction cannot be used any more."""

import pytest
from sqlalchemy import text

from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import QUICK, consumer_of, inbox_row, order_created
from tests.waiting import eventually


@pytest.mark.parametrize("fails_at", ["first delivery", "retry"])
async def test_a_handler_that_breaks_its_transaction_still_counts_its_attempt(
    database: Database, fails_at: str
) -> None:
    breaks = fails_at == "first delivery"

    async def break_connection(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        if not breaks:
            raise ValueError("not yet")
        assert mediator._open is not None
        connection = await mediator._open.connection()
        raw = await connection.get_raw_connection()
        await connection.execute(text("SELECT 1"))
        raw.invalidate()
        raise ValueError("broken")

    consumer, message = consumer_of(database, break_connection, retry=QUICK), order_created()
    await consumer.receive(message)
    if not breaks:
        breaks = True

        async def second_run() -> bool:
            await consumer.retry(message.headers["ce-id"])
            return bool((await inbox_row(database, message, consumer)).attempts == 2)

        await eventually(second_run, what="the second attempt")
    row = await inbox_row(database, message, consumer)
    assert row.state == "retrying"
    assert row.last_error == "ValueError: broken"
