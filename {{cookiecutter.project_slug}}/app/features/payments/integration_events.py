"""What this feature tells the world: its public contract, the one file others may import."""

from uuid import UUID

from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.money import Money


class PaymentTakenIntegrationEvent(IntegrationEvent):
    """The money for an order was taken."""

    topic = "payments.payment-taken.v1"
    key = "order_id"

    payment_id: UUID
    order_id: UUID
    amount: Money


class PaymentDeclinedIntegrationEvent(IntegrationEvent):
    """The money for an order could not be taken."""

    topic = "payments.payment-declined.v1"
    key = "order_id"

    payment_id: UUID
    order_id: UUID
    amount: Money
