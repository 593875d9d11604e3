"""What this feature tells the world: its public contract, the one file others may import."""

from uuid import UUID

from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.money import Money


class OrderCreatedIntegrationEvent(IntegrationEvent):
    """Somebody ordered something and has not paid yet."""

    topic = "orders.order-created.v1"
    key = "order_id"

    order_id: UUID
    customer: str
    amount: Money


class OrderPaidIntegrationEvent(IntegrationEvent):
    """The order is paid for."""

    topic = "orders.order-paid.v1"
    key = "order_id"

    order_id: UUID
    amount: Money


class OrderCancelledIntegrationEvent(IntegrationEvent):
    """The order came to nothing."""

    topic = "orders.order-cancelled.v1"
    key = "order_id"

    order_id: UUID
