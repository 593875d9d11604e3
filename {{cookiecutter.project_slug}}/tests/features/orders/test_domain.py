"""An order keeps its rules: it ends once, and it says what happened to it."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from app.building_blocks.errors import DomainError
from app.features.orders.domain import Order, OrderCancelled, OrderCreated, OrderPaid, OrderStatus

AMOUNT = Decimal("12.50")


@pytest.fixture
def order() -> Order:
    order = Order.create("ada", AMOUNT)
    order.pull_events()
    return order


def test_a_new_order_is_open_and_says_so() -> None:
    order = Order.create("ada", AMOUNT)
    assert order.status is OrderStatus.CREATED
    assert order.pull_events() == [OrderCreated(order_id=order.id, customer="ada", amount=AMOUNT)]


def test_an_open_order_can_be_paid(order: Order) -> None:
    order.pay()
    assert order.status is OrderStatus.PAID
    assert order.pull_events() == [OrderPaid(order_id=order.id, amount=AMOUNT)]


def test_an_open_order_can_be_cancelled(order: Order) -> None:
    order.cancel()
    assert order.status is OrderStatus.CANCELLED
    assert order.pull_events() == [OrderCancelled(order_id=order.id)]


@pytest.mark.parametrize("first", [Order.pay, Order.cancel])
@pytest.mark.parametrize("then", [Order.pay, Order.cancel])
def test_an_order_ends_once(
    order: Order, first: Callable[[Order], None], then: Callable[[Order], None]
) -> None:
    first(order)
    ended = order.status
    order.pull_events()
    with pytest.raises(DomainError, match=f"Order {order.id} is already {ended}"):
        then(order)
    assert order.status is ended
    assert order.pull_events() == []


def test_each_event_is_told_once_and_in_order() -> None:
    order = Order.create("ada", AMOUNT)
    order.pay()
    assert [type(event) for event in order.pull_events()] == [OrderCreated, OrderPaid]
    assert order.pull_events() == []


def test_ids_sort_by_age() -> None:
    ids = [Order.create("ada", AMOUNT).id for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {id.version for id in ids} == {7}
