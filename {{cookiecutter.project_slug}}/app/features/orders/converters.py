"""Which domain events leave the feature, and as what."""

from app.features.orders.domain import OrderCancelled, OrderCreated, OrderPaid
from app.features.orders.integration_events import (
    OrderCancelledIntegrationEvent,
    OrderCreatedIntegrationEvent,
    OrderPaidIntegrationEvent,
)


def convert_order_created(event: OrderCreated) -> OrderCreatedIntegrationEvent:
    return OrderCreatedIntegrationEvent(
        order_id=event.order_id, customer=event.customer, amount=event.amount
    )


def convert_order_paid(event: OrderPaid) -> OrderPaidIntegrationEvent:
    return OrderPaidIntegrationEvent(order_id=event.order_id, amount=event.amount)


def convert_order_cancelled(event: OrderCancelled) -> OrderCancelledIntegrationEvent:
    return OrderCancelledIntegrationEvent(order_id=event.order_id)
