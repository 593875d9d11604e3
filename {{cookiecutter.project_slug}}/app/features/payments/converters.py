"""Which domain events leave the feature, and as what."""

from app.features.payments.domain import PaymentDeclined, PaymentTaken
from app.features.payments.integration_events import (
    PaymentDeclinedIntegrationEvent,
    PaymentTakenIntegrationEvent,
)


def convert_payment_taken(event: PaymentTaken) -> PaymentTakenIntegrationEvent:
    return PaymentTakenIntegrationEvent(
        payment_id=event.payment_id, order_id=event.order_id, amount=event.amount
    )


def convert_payment_declined(event: PaymentDeclined) -> PaymentDeclinedIntegrationEvent:
    return PaymentDeclinedIntegrationEvent(
        payment_id=event.payment_id, order_id=event.order_id, amount=event.amount
    )
