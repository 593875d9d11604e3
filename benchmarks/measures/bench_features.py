"""Features of the service in forms that a measurement needs."""

import copy

from app.building_blocks.feature import Feature
from app.features.orders.feature import orders
from app.features.payments.feature import payments


def all_features(*, with_event: bool) -> list[Feature]:
    """The service's own; `with_event` False leaves out the lines that publish an order's events."""
    return [orders if with_event else _without(orders, "converters"), payments]


def only_orders() -> Feature:
    """Commands and queries of the feature: no event comes in, and none goes out."""
    return _without(orders, "converters", "subscriptions")


def _without(feature: Feature, *lines: str) -> Feature:
    bare = copy.copy(feature)
    for name in lines:
        setattr(bare, name, [])
    return bare
