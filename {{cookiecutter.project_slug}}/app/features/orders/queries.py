"""What others may ask about orders."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.errors import NotFoundError
from app.building_blocks.messages import Query
from app.building_blocks.money import Money
from app.features.orders.domain import Order, OrderStatus


class OrderView(BaseModel):
    """An order as it is shown to others."""

    id: UUID
    customer: str
    amount: Money
    status: OrderStatus

    @classmethod
    def of(cls, order: Order) -> "OrderView":
        return cls(id=order.id, customer=order.customer, amount=order.amount, status=order.status)


class OrderPage(BaseModel):
    """Some orders, newest first. `next` is the `after` of the page that follows, if any."""

    items: list[OrderView]
    next: UUID | None


class GetOrder(Query[OrderView]):
    order_id: UUID


class ListOrders(Query[OrderPage]):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    after: UUID | None = None


async def get_order(query: GetOrder, session: AsyncSession) -> OrderView:
    order = await session.get(Order, query.order_id)
    if order is None:
        raise NotFoundError("Order", query.order_id)
    return OrderView.of(order)


async def list_orders(query: ListOrders, session: AsyncSession) -> OrderPage:
    # Ids are UUIDv7: the newest sorts last.
    orders = select(Order).order_by(col(Order.id).desc()).limit(query.limit + 1)
    if query.after is not None:
        orders = orders.where(col(Order.id) < query.after)
    found = list(await session.exec(orders))
    items = [OrderView.of(order) for order in found[: query.limit]]
    return OrderPage(items=items, next=items[-1].id if len(found) > query.limit else None)
