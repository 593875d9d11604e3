"""The feature's table of contents: which message goes to which function."""

from app.building_blocks.feature import Feature
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.features.payments import api
from app.features.payments.converters import convert_payment_declined, convert_payment_taken
from app.features.payments.domain import PaymentDeclined, PaymentTaken
from app.features.payments.queries import ListPayments, list_payments
from app.features.payments.subscribers import when_order_created
from app.features.payments.take_payment import TakePayment, take_payment

payments = Feature("payments", router=api.router)

payments.handle(TakePayment, take_payment)

payments.answer(ListPayments, list_payments)

payments.publish(PaymentTaken, convert_payment_taken)
payments.publish(PaymentDeclined, convert_payment_declined)

payments.subscribe(OrderCreatedIntegrationEvent, when_order_created)
