"""The money for an order is there."""

from uuid import UUID

from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.domain import Order


class PayOrder(Command[None]):
    order_id: UUID


async def pay_order(command: PayOrder, uow: UnitOfWork) -> None:
    order = await uow.get(Order, command.order_id)
    order.pay()
