"""What this feature does when others tell it something."""

from app.building_blocks.mediator import Mediator
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.features.payments.take_payment import TakePayment


async def when_order_created(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
    await mediator.send(TakePayment(order_id=event.order_id, amount=event.amount))
