"""The service with an authentication, and a subscriber that notes the context it runs in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from httpx import ASGITransport, AsyncClient
from sqlalchemy import Row, Table, select
from starlette.types import ASGIApp, Receive, Scope, Send

from app.building_blocks.carriers import Carrier
from app.building_blocks.context import current_context
from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.http.mediator import HttpMediator
from app.building_blocks.inbox.table import inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import published
from app.carriers import CARRIERS
from app.features import FEATURES
from app.features.orders.create_order import CreateOrder
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.main import create_app
from app.settings import Settings
from tests.waiting import eventually

HOPS = 3
"""The messages of an order's way."""

ORDER = {"customer": "ada", "amount": "1.00"}

log = structlog.get_logger("app.shop")


async def by_token(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Stands for an authentication as a dependency: the token is the tenant."""
    if authorization:
        request.state.tenant = authorization


class Authentication:
    """The same as a middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            await by_token(request, request.headers.get("authorization", ""))
        await self._app(scope, receive, send)


class Shop:
    """`POST /shop` is authenticated, `POST /orders` is not. The subscriber raises `error`."""

    def __init__(
        self, settings: Settings, *carriers: Carrier, features: Sequence[Feature] = ()
    ) -> None:
        self.settings, self.carriers = settings, (*CARRIERS, *carriers)
        self.features = (*FEATURES, *features)
        self.contexts: list[dict[str, str]] = []
        self.error: Exception | None = None

    async def when_order_created(
        self, event: OrderCreatedIntegrationEvent, mediator: Mediator
    ) -> None:
        self.contexts.append(dict(current_context()))
        log.info("seen")
        if self.error is not None:
            raise self.error

    @asynccontextmanager
    async def serving(
        self, middleware: type[Authentication] | None = None, **settings: Any
    ) -> AsyncIterator[AsyncClient]:
        app = self.app(**settings)
        if middleware is not None:
            app.add_middleware(middleware)
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
        ):
            yield client

    def app(self, **settings: Any) -> FastAPI:
        feature = Feature("shop", router=_router())
        feature.subscribe(OrderCreatedIntegrationEvent, self.when_order_created)
        update = self.settings.model_copy(update=settings)
        return create_app(update, [*self.features, feature], carriers=self.carriers)


def _router() -> APIRouter:
    router = APIRouter(prefix="/shop", dependencies=[Depends(by_token)])

    @router.post("")
    async def create(command: CreateOrder, mediator: HttpMediator) -> UUID:
        log.info("ordering")
        order = await mediator.send(command)
        return order.id

    return router


async def rows(database: Database, table: Table) -> Sequence[Row[Any]]:
    async with database.reader.connect() as connection:
        return (await connection.execute(select(table))).all()


async def hops(database: Database, name: str, count: int = HOPS) -> list[str | None]:
    """What the carrier `name` holds in each message, once all are published and handled."""

    async def all_done() -> bool:
        states = [row.state for row in await rows(database, inbox)]
        is_out = len(await rows(database, published)) == count
        return is_out and len(states) >= count and set(states) == {"handled"}

    await eventually(all_done, what="every hop")
    return [row.headers.get(name) for row in await rows(database, published)]


async def post(client: AsyncClient, path: str, **headers: str) -> None:
    answer = await client.post(path, json=ORDER, headers=headers)
    assert answer.is_success, answer.text
