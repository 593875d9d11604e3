"""What the commands of this feature store, and what they tell the world."""

import json
from decimal import Decimal
from uuid import UUID

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.mediator import Mediator
from app.features.payments.domain import PaymentStatus
from app.features.payments.queries import ListPayments
from app.features.payments.take_payment import TakePayment
from tests.mediators import outbox_rows

ORDER_ID = UUID("018f0000-0000-7000-8000-000000000001")
OTHER_ORDER_ID = UUID("018f0000-0000-7000-8000-000000000002")


@pytest.mark.parametrize(
    ("amount", "status", "topic"),
    [
        ("1000.00", PaymentStatus.TAKEN, "payments.payment-taken.v1"),
        ("1000.01", PaymentStatus.DECLINED, "payments.payment-declined.v1"),
    ],
)
async def test_a_payment_is_stored_and_told(
    mediator: Mediator, database: Database, amount: str, status: PaymentStatus, topic: str
) -> None:
    await mediator.send(TakePayment(order_id=ORDER_ID, amount=Decimal(amount)))

    [payment] = await mediator.ask(ListPayments(order_id=ORDER_ID))
    assert (payment.order_id, payment.amount, payment.status) == (ORDER_ID, Decimal(amount), status)
    [row] = await outbox_rows(database)
    # Keyed by the order, so that all that concerns one order arrives in order.
    assert (row.topic, row.key) == (topic, str(ORDER_ID))
    assert json.loads(row.payload) == {
        "payment_id": str(payment.id), "order_id": str(ORDER_ID), "amount": amount,
    }  # fmt: skip


async def test_only_the_payments_of_the_order_are_listed(mediator: Mediator) -> None:
    for order_id, amount in [(ORDER_ID, "1.00"), (OTHER_ORDER_ID, "2.00"), (ORDER_ID, "3.00")]:
        await mediator.send(TakePayment(order_id=order_id, amount=Decimal(amount)))
    payments = await mediator.ask(ListPayments(order_id=ORDER_ID))
    assert [str(payment.amount) for payment in payments] == ["1.00", "3.00"]
