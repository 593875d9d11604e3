"""An order comes to nothing."""

from uuid import UUID

from app.building_blocks.messages import Command
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.domain import Order


class CancelOrder(Command[None]):
    order_id: UUID


async def cancel_order(command: CancelOrder, uow: UnitOfWork) -> None:
    order = await uow.get(Order, command.order_id)
    order.cancel()
