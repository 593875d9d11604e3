"""The composition root: what HTTP gets to see of the features and the machinery."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI
from opentelemetry.trace import TracerProvider

from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.carriers import Carrier
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.exporting import flush, tracer_provider
from app.building_blocks.feature import Feature
from app.building_blocks.garbage import leave_out_what_is_loaded
from app.building_blocks.http.asyncapi import asyncapi_router
from app.building_blocks.http.health import health_router
from app.building_blocks.http.metrics import metrics_router
from app.building_blocks.http.problem_details import install_problem_details
from app.building_blocks.http.request_context import RequestContext
from app.building_blocks.http.startup import ReadableStartup
from app.building_blocks.http.telemetry import telemetry
from app.building_blocks.http.unexpected import UnexpectedErrors
from app.building_blocks.inbox.dead_letters import OnDeadLetter
from app.building_blocks.logs import configure_logs
from app.building_blocks.ops.home import say_whether_on
from app.building_blocks.wiring import Wiring
from app.carriers import CARRIERS
from app.features import FEATURES
from app.machinery import Machinery
from app.settings import Settings, load_settings


def create_app(
    settings: Settings | None = None,
    features: Sequence[Feature] = FEATURES,
    on_dead_letter: OnDeadLetter | None = None,
    spans: TracerProvider | None = None,
    carriers: Sequence[Carrier] = CARRIERS,
) -> FastAPI:
    """Put the service together; nothing connects before the lifespan begins.

    Traces need `spans`, what makes and exports them; without it there are none.
    Raises ConfigurationError, and WiringError when the features do not fit together.
    """
    settings = settings or load_settings()
    configure_logs(settings.log_level, settings.log_format)
    wiring = Wiring(features)
    machinery = Machinery(settings, wiring, carriers, spans, on_dead_letter)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(flush, spans)
            stack.push_async_callback(machinery.database.dispose)
            await machinery.migrations.require()
            say_whether_on(settings.ops_token)
            stack.push_async_callback(machinery.broker.stop)
            for task in machinery.background:
                await stack.enter_async_context(task)
            stack.enter_context(leave_out_what_is_loaded())
            yield
            for task in machinery.background:
                task.stop_soon()

    app = FastAPI(title=settings.service_name, lifespan=lifespan, telemetry=telemetry(spans))
    app.state.mediator = machinery.mediator
    app.state.broker = machinery.broker
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(RequestContext, carriers=machinery.carried)
    app.add_middleware(ReadableStartup)
    install_problem_details(app, machinery.database)
    for router in (*_business(features), *_operations(settings, wiring, machinery)):
        app.include_router(router)
    return app


def _business(features: Sequence[Feature]) -> list[APIRouter]:
    return [feature.router for feature in features if feature.router is not None]


def _operations(settings: Settings, wiring: Wiring, machinery: Machinery) -> list[APIRouter]:
    binding, names = machinery.broker.binding, machinery.carried.names
    contract = AsyncApi(settings.service_name, settings.broker_url, binding, names)
    return [
        health_router(machinery.checks),
        metrics_router(machinery.metrics, machinery.database),
        asyncapi_router(partial(contract.document, wiring)),
        *_operator_pages(settings, wiring, machinery),
    ]


def _operator_pages(settings: Settings, wiring: Wiring, machinery: Machinery) -> list[APIRouter]:
    if settings.ops_token is None:
        return []
    # Where there are none, the start need not wait for their modules.
    from app.building_blocks.ops.pages import ops_router  # noqa: PLC0415

    return [
        ops_router(
            settings.ops_token,
            settings.service_name,
            machinery.database,
            wiring,
            settings.retry_policy,
            publishing=machinery.publishing,
            retrying=machinery.retrying,
        )
    ]


def _start() -> FastAPI:
    try:
        settings = load_settings()
        return create_app(settings, spans=tracer_provider(settings.service_name))
    except ConfigurationError as error:
        sys.exit("\n".join(f"Cannot start: {problem}" for problem in error.problems))


app = _start()
