"""What this feature does when others tell it something."""

from app.building_blocks.mediator import Mediator
from app.features.orders.cancel_order import CancelOrder
from app.features.orders.pay_order import PayOrder
from app.features.payments.integration_events import (
    PaymentDeclinedIntegrationEvent,
    PaymentTakenIntegrationEvent,
)


async def when_payment_taken(event: PaymentTakenIntegrationEvent, mediator: Mediator) -> None:
    await mediator.send(PayOrder(order_id=event.order_id))


async def when_payment_declined(event: PaymentDeclinedIntegrationEvent, mediator: Mediator) -> None:
    await mediator.send(CancelOrder(order_id=event.order_id))
