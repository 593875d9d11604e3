"""What was promised against what is there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.features.orders.integration_events import (
    OrderCancelledIntegrationEvent,
    OrderCreatedIntegrationEvent,
    OrderPaidIntegrationEvent,
)
from app.features.payments.integration_events import (
    PaymentDeclinedIntegrationEvent,
    PaymentTakenIntegrationEvent,
)
from tests.faults.orders import expected_status

# What must be published for an order that ended so: each once, in this order.
_HISTORY = {
    "paid": [
        OrderCreatedIntegrationEvent.topic,
        PaymentTakenIntegrationEvent.topic,
        OrderPaidIntegrationEvent.topic,
    ],
    "cancelled": [
        OrderCreatedIntegrationEvent.topic,
        PaymentDeclinedIntegrationEvent.topic,
        OrderCancelledIntegrationEvent.topic,
    ],
}
_PAYMENT = {"paid": "taken", "cancelled": "declined"}


@dataclass
class Verdict:
    """A sentence for each broken promise."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    def broken(self) -> dict[str, list[str]]:
        """The sentences by the kind of promise."""
        return {
            "lost": self.lost,
            "doubled": self.doubled,
            "wrong outcome": self.wrong,
            "out of order": self.out_of_order,
            "unfinished": self.unfinished,
        }


def judge(
    answered: Mapping[str, str],
    orders: Mapping[str, Mapping[str, Any]],
    payments: Mapping[str, Sequence[str]],
    history: Mapping[str, Sequence[str]],
) -> Verdict:
    """Compare the amounts that were `answered` with 201, by order, with all that is there.

    Orders that nobody was promised may be there or not, but not by halves.
    """
    verdict = Verdict()
    for order, amount in answered.items():
        if order not in orders:
            verdict.lost.append(f"order {order} was answered with 201 and is not there")
        elif orders[order]["amount"] != amount:
            was = orders[order]["amount"]
            verdict.wrong.append(f"order {order} is of {was}, and {amount} was answered")
    for order in payments.keys() - orders.keys():
        verdict.wrong.append(f"order {order} has a payment and is not there")
    for order, found in orders.items():
        expected = expected_status(found["amount"])
        if found["status"] == "created":
            verdict.unfinished.append(f"order {order} is still created")
            continue
        if found["status"] != expected:
            verdict.wrong.append(f"order {order} is {found['status']}, expected {expected}")
        _judge_payments(verdict, order, _PAYMENT[expected], payments.get(order, ()))
        _judge_history(verdict, order, _HISTORY[expected], history.get(order, ()))
    return verdict


def _judge_payments(verdict: Verdict, order: str, expected: str, found: Sequence[str]) -> None:
    if not found:
        verdict.lost.append(f"order {order} has no payment")
    elif len(found) > 1:
        verdict.doubled.append(f"order {order} has {len(found)} payments")
    elif found[0] != expected:
        verdict.wrong.append(f"order {order} has a payment {found[0]}, expected {expected}")


def _judge_history(
    verdict: Verdict, order: str, expected: Sequence[str], found: Sequence[str]
) -> None:
    times = Counter(found)
    for topic in expected:
        if topic not in times:
            verdict.lost.append(f"order {order}: {topic} was never published")
    for topic, count in times.items():
        if count > 1:
            verdict.doubled.append(f"order {order}: {count} events {topic}")
        if topic not in expected:
            verdict.wrong.append(f"order {order}: {topic} was published")
    if sorted(found) == sorted(expected) and list(found) != list(expected):
        verdict.out_of_order.append(f"order {order}: {', '.join(found)}")
