"""What the tests of this feature start from."""

from decimal import Decimal

import pytest_asyncio

from app.building_blocks.mediator import Mediator
from app.features.orders.create_order import CreateOrder
from app.features.orders.domain import Order


@pytest_asyncio.fixture
async def stored_order(mediator: Mediator) -> Order:
    """An order of 12.50 that was just created."""
    return await mediator.send(CreateOrder(customer="ada", amount=Decimal("12.5")))
