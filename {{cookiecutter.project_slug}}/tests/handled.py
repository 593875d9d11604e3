"""Waiting for integration event handlers."""

import pytest
from sqlalchemy import select

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import DEAD, HANDLED, inbox
from tests.waiting import eventually


async def until_handled(database: Database, handler: str) -> None:
    """Return when `handler`, such as `orders.when_payment_taken`, has handled a message.

    Fails with the handler's error as soon as the message is a dead letter.
    """
    its_messages = select(inbox.c.state, inbox.c.last_error).where(
        inbox.c.consumer.endswith(f".{handler}")
    )

    async def is_handled() -> bool:
        async with database.reader.connect() as connection:
            messages = (await connection.execute(its_messages)).all()
        for message in messages:
            if message.state == DEAD:
                pytest.fail(f"{handler} failed every time: {message.last_error}", pytrace=False)
        return [message.state for message in messages] == [HANDLED]

    await eventually(is_handled, what=f"{handler} has handled the event")
