"""The feature's table of contents: which message goes to which function."""

from app.building_blocks.errors import DomainError
from app.building_blocks.feature import Feature
from app.features.orders import api
from app.features.orders.cancel_order import CancelOrder, cancel_order
from app.features.orders.converters import (
    convert_order_cancelled,
    convert_order_created,
    convert_order_paid,
)
from app.features.orders.create_order import CreateOrder, create_order
from app.features.orders.domain import OrderCancelled, OrderCreated, OrderPaid
from app.features.orders.pay_order import PayOrder, pay_order
from app.features.orders.queries import GetOrder, ListOrders, get_order, list_orders
from app.features.orders.subscribers import when_payment_declined, when_payment_taken
from app.features.payments.integration_events import (
    PaymentDeclinedIntegrationEvent,
    PaymentTakenIntegrationEvent,
)

# No retry makes a cancelled order open again; a person has to look at it.
CLOSED = (DomainError,)

orders = Feature("orders", router=api.router)

orders.handle(CreateOrder, create_order)
orders.handle(PayOrder, pay_order)
orders.handle(CancelOrder, cancel_order)

orders.answer(GetOrder, get_order)
orders.answer(ListOrders, list_orders)

orders.publish(OrderCreated, convert_order_created)
orders.publish(OrderPaid, convert_order_paid)
orders.publish(OrderCancelled, convert_order_cancelled)

orders.subscribe(PaymentTakenIntegrationEvent, when_payment_taken, do_not_retry=CLOSED)
orders.subscribe(PaymentDeclinedIntegrationEvent, when_payment_declined, do_not_retry=CLOSED)
