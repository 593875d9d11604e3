"""Payments over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.building_blocks.http.mediator import HttpMediator
from app.features.payments.queries import ListPayments, PaymentView

router = APIRouter(prefix="/payments", tags=["payments"])


@router.get("")
async def list_of_order(
    query: Annotated[ListPayments, Query()], mediator: HttpMediator
) -> list[PaymentView]:
    return await mediator.ask(query)
