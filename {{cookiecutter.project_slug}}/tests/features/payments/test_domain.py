"""A payment is taken up to the limit and declined above it."""

from decimal import Decimal
from uuid import UUID

import pytest

from app.features.payments.domain import Payment, PaymentDeclined, PaymentStatus, PaymentTaken

ORDER_ID = UUID("018f0000-0000-7000-8000-000000000001")


@pytest.mark.parametrize("amount", ["0.01", "999.99", "1000.00"])
def test_money_up_to_the_limit_is_taken(amount: str) -> None:
    payment = Payment.take(ORDER_ID, Decimal(amount))
    assert payment.status is PaymentStatus.TAKEN
    assert payment.pull_events() == [
        PaymentTaken(payment_id=payment.id, order_id=ORDER_ID, amount=Decimal(amount))
    ]


@pytest.mark.parametrize("amount", ["1000.01", "9999999999.99"])
def test_money_above_the_limit_is_declined(amount: str) -> None:
    payment = Payment.take(ORDER_ID, Decimal(amount))
    assert payment.status is PaymentStatus.DECLINED
    assert payment.pull_events() == [
        PaymentDeclined(payment_id=payment.id, order_id=ORDER_ID, amount=Decimal(amount))
    ]
