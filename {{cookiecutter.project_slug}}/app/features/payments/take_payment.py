"""Take the money for an order, or decline it."""

from uuid import UUID

from app.building_blocks.messages import Command
from app.building_blocks.money import Money
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.payments.domain import Payment


class TakePayment(Command[None]):
    order_id: UUID
    amount: Money


async def take_payment(command: TakePayment, uow: UnitOfWork) -> None:
    uow.add(Payment.take(command.order_id, command.amount))
