"""What an order is, and the rules that it keeps."""

from enum import StrEnum
from uuid import UUID

from app.building_blocks.aggregate import AggregateRoot
from app.building_blocks.columns import text_enum
from app.building_blocks.errors import DomainError
from app.building_blocks.messages import DomainEvent
from app.building_blocks.money import Money


class OrderStatus(StrEnum):
    CREATED = "created"
    PAID = "paid"
    CANCELLED = "cancelled"


class OrderCreated(DomainEvent):
    order_id: UUID
    customer: str
    amount: Money


class OrderPaid(DomainEvent):
    order_id: UUID
    amount: Money


class OrderCancelled(DomainEvent):
    order_id: UUID


class Order(AggregateRoot, table=True):
    __tablename__ = "orders"

    customer: str
    amount: Money
    status: OrderStatus = text_enum(OrderStatus, default=OrderStatus.CREATED)

    @classmethod
    def create(cls, customer: str, amount: Money) -> "Order":
        order = cls(customer=customer, amount=amount)
        order.record(OrderCreated(order_id=order.id, customer=customer, amount=amount))
        return order

    def pay(self) -> None:
        self._must_be_open()
        self.status = OrderStatus.PAID
        self.record(OrderPaid(order_id=self.id, amount=self.amount))

    def cancel(self) -> None:
        self._must_be_open()
        self.status = OrderStatus.CANCELLED
        self.record(OrderCancelled(order_id=self.id))

    def _must_be_open(self) -> None:
        if self.status is not OrderStatus.CREATED:
            raise DomainError(f"Order {self.id} is already {self.status}")
