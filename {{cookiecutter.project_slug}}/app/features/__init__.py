"""The features of this service. The folder list is the product."""

from app.features.orders.feature import orders
from app.features.payments.feature import payments

FEATURES = (orders, payments)
