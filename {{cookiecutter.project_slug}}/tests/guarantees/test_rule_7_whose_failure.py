"""Rule 7: what counts as a failure of the handler, and what does not."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from tests.guarantees.consuming import (
    Handler,
    consumer_of,
    count_effects,
    inbox_row,
    order_created,
    take_payment,
)


def raising(error: BaseException) -> Handler:
    async def handler(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        await take_payment(event, mediator)
        raise error

    return handler


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("the mail server"),
        TimeoutError("another service"),
        ValueError("file \udcff.txt"),
        ValueError("NUL \0"),
        asyncio.CancelledError("by somebody else"),
        ExceptionGroup("several", [ValueError("one")]),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_handler_meets_counts_as_its_attempt(
    database: Database, error: BaseException
) -> None:
    consumer, message = consumer_of(database, raising(error)), order_created()
    await consumer.receive(message)
    row = await inbox_row(database, message, consumer)
    assert (row.state, row.attempts) == ("retrying", 1)
    assert await count_effects(database) == (0, 0)


async def test_a_database_that_goes_away_is_not_the_handlers_failure(database: Database) -> None:
    gone = DBAPIError("SELECT 1", {}, Exception("gone"), connection_invalidated=True)
    consumer, message = consumer_of(database, raising(gone)), order_created()
    with pytest.raises(DBAPIError):
        await consumer.receive(message)
    assert await inbox_row(database, message, consumer) is None
    assert await count_effects(database) == (0, 0)
