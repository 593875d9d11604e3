"""Somebody orders something."""

from typing import Annotated

from pydantic import Field

from app.building_blocks.messages import Command
from app.building_blocks.money import Money
from app.building_blocks.text import Text
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.domain import Order


class CreateOrder(Command[Order]):
    customer: Annotated[Text, Field(min_length=1, max_length=200)]
    amount: Annotated[Money, Field(gt=0)]


async def create_order(command: CreateOrder, uow: UnitOfWork) -> Order:
    order = Order.create(command.customer, command.amount)
    uow.add(order)
    return order
