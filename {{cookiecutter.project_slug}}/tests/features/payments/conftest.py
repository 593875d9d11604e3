"""What the tests of this feature start from."""

from decimal import Decimal
from uuid import uuid4

import pytest_asyncio
from sqlmodel import select

from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.features.payments.domain import Payment
from app.features.payments.take_payment import TakePayment


@pytest_asyncio.fixture
async def stored_payment(mediator: Mediator, database: Database) -> Payment:
    """A payment of 12.50 that was just taken."""
    await mediator.send(TakePayment(order_id=uuid4(), amount=Decimal("12.5")))
    async with database.read() as session:
        return (await session.exec(select(Payment))).one()
