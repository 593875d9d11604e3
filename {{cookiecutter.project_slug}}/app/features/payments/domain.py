"""What a payment is, and when it is declined."""

from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from app.building_blocks.aggregate import AggregateRoot
from app.building_blocks.columns import text_enum
from app.building_blocks.messages import DomainEvent
from app.building_blocks.money import Money

LIMIT = Decimal("1000.00")


class PaymentStatus(StrEnum):
    TAKEN = "taken"
    DECLINED = "declined"


class PaymentTaken(DomainEvent):
    payment_id: UUID
    order_id: UUID
    amount: Money


class PaymentDeclined(DomainEvent):
    payment_id: UUID
    order_id: UUID
    amount: Money


class Payment(AggregateRoot, table=True):
    __tablename__ = "payments"

    order_id: UUID = Field(index=True)
    amount: Money
    status: PaymentStatus = text_enum(PaymentStatus, default=PaymentStatus.TAKEN)

    @classmethod
    def take(cls, order_id: UUID, amount: Money) -> "Payment":
        """Take the money, unless it is more than `LIMIT`."""
        payment = cls(order_id=order_id, amount=amount)
        kind: type[PaymentTaken] | type[PaymentDeclined] = PaymentTaken
        if amount > LIMIT:
            payment.status, kind = PaymentStatus.DECLINED, PaymentDeclined
        payment.record(kind(payment_id=payment.id, order_id=order_id, amount=amount))
        return payment
