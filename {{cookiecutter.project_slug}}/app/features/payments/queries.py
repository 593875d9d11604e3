"""What others may ask about payments."""

from uuid import UUID

from pydantic import BaseModel
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.messages import Query
from app.building_blocks.money import Money
from app.features.payments.domain import Payment, PaymentStatus


class PaymentView(BaseModel):
    """A payment as it is shown to others."""

    id: UUID
    order_id: UUID
    amount: Money
    status: PaymentStatus


class ListPayments(Query[list[PaymentView]]):
    order_id: UUID


async def list_payments(query: ListPayments, session: AsyncSession) -> list[PaymentView]:
    payments = select(Payment).where(Payment.order_id == query.order_id).order_by(col(Payment.id))
    return [
        PaymentView(
            id=payment.id,
            order_id=payment.order_id,
            amount=payment.amount,
            status=payment.status,
        )
        for payment in await session.exec(payments)
    ]
