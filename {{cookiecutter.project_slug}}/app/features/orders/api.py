"""Orders over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from app.building_blocks.http.mediator import HttpMediator
from app.features.orders.cancel_order import CancelOrder
from app.features.orders.create_order import CreateOrder
from app.features.orders.queries import GetOrder, ListOrders, OrderPage, OrderView

router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def create(command: CreateOrder, mediator: HttpMediator) -> OrderView:
    return OrderView.of(await mediator.send(command))


@router.get("/{order_id}")
async def get(order_id: UUID, mediator: HttpMediator) -> OrderView:
    return await mediator.ask(GetOrder(order_id=order_id))


@router.get("")
async def list_page(query: Annotated[ListOrders, Query()], mediator: HttpMediator) -> OrderPage:
    return await mediator.ask(query)


@router.post("/{order_id}/cancellation", status_code=status.HTTP_204_NO_CONTENT)
async def cancel(order_id: UUID, mediator: HttpMediator) -> None:
    await mediator.send(CancelOrder(order_id=order_id))
