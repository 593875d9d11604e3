"""The composition root: the one place that knows every part."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider

from app.broker import open_broker
from app.building_blocks.asyncapi import AsyncApi
from app.building_blocks.background import BackgroundTask
from app.building_blocks.behaviours import log_commands, trace_commands
from app.building_blocks.brokers.connection import BrokerConnection
from app.building_blocks.carriers import Carrier, Carriers
from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.exporting import flush, tracer_provider
from app.building_blocks.feature import Feature
from app.building_blocks.http.asyncapi import asyncapi_router
from app.building_blocks.http.health import health_router
from app.building_blocks.http.metrics import metrics_router
from app.building_blocks.http.problem_details import install_problem_details
from app.building_blocks.http.request_context import RequestContext
from app.building_blocks.http.startup import ReadableStartup
from app.building_blocks.http.telemetry import telemetry
from app.building_blocks.http.unexpected import UnexpectedErrors
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.inbox.dead_letters import Announcer, OnDeadLetter
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.inbox.retrier import Retrier
from app.building_blocks.logs import configure_logs
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.backlog_age import BacklogAge
from app.building_blocks.operations.reporter import Reporter
from app.building_blocks.ops.pages import ops_router, say_whether_on
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.signalling import listening, signalling
from app.building_blocks.retention import Retention
from app.building_blocks.tracing import Tracing
from app.building_blocks.wake_up import WakeUp
from app.building_blocks.wiring import Wiring
from app.carriers import CARRIERS
from app.database import open_database
from app.features import FEATURES
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
    database = open_database(settings.database_url)
    migrations, metrics, publishing = Migrations(database), Metrics(), WakeUp()
    broker = open_broker(settings.broker_url, settings.service_name, metrics.registry)
    tracing = Tracing(spans, broker.binding.system)
    inbox, retrying = Inbox(database.dialect), WakeUp()
    carried = Carriers(carriers, settings.trusted_headers, settings.environment)
    environments = Environments(settings.environment)
    outbox = Outbox(database.dialect, settings.service_name, publishing, carriers=carried)
    behaviours = (trace_commands(tracing), log_commands)
    mediator = Mediator(wiring.routes, database, outbox, behaviours=behaviours)

    consumers = [
        Consumer(
            settings.service_name,
            subscription,
            inbox,
            mediator,
            metrics,
            Announcer(on_dead_letter),
            settings.retry_policy,
            retrying,
            tracing,
            carried,
            environments,
        )
        for subscription in wiring.subscriptions
    ]
    for event in wiring.published:
        broker.declare(event.topic)
        metrics.expect_topic(event.topic)
    for consumer in consumers:
        broker.subscribe(consumer.topic, consumer.name, consumer.receive, ordered=consumer.ordered)

    interval = settings.outbox_poll_interval
    connecting, deleting, reporting = WakeUp(), WakeUp(), WakeUp()
    connection = BrokerConnection(broker, connecting)
    publisher = Publisher(
        Claims(database, keep_published=settings.outbox_retention_hours > 0),
        broker,
        publishing,
        metrics,
        refusals=settings.retry_policy,
        batch_size=settings.outbox_batch_size,
        poll_interval=interval,
        tracing=tracing,
    )
    retrier = Retrier(
        database,
        inbox,
        consumers,
        retrying,
        environments,
        poll_interval=interval,
    )
    retention = Retention(database, deleting, outbox_hours=settings.outbox_retention_hours)
    background = [
        BackgroundTask("retention", retention.run, deleting),
        BackgroundTask("inbox retrier", retrier.run, retrying),
        BackgroundTask("broker connection", connection.run, connecting, grace=1.0),
    ]
    if settings.outbox_publisher_enabled:
        background.append(BackgroundTask("outbox publisher", publisher.run, publishing))
        background += [listening(database.signals, publishing)] if database.signals else []
    elif database.signals:
        background.append(signalling(database.signals, publishing))

    backlog = BacklogAge(database, settings.ready_max_backlog_age)
    checks = {"database": migrations.problem, "broker": connection.problem}
    checks["backlog"] = backlog.check
    checks |= {"publishing": publisher.check} | {task.name: task.check for task in background}
    reporter = Reporter(
        database,
        metrics,
        checks,
        reporting,
        environments=environments,
        consumers=[consumer.name for consumer in consumers],
    )
    background.append(BackgroundTask("reporter", reporter.run, reporting))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(flush, spans)
            stack.push_async_callback(database.dispose)
            await migrations.require()
            say_whether_on(settings.ops_token)
            stack.push_async_callback(broker.stop)
            for task in background:
                await stack.enter_async_context(task)
            yield
            for task in background:
                task.stop_soon()

    app = FastAPI(title=settings.service_name, lifespan=lifespan, telemetry=telemetry(spans))
    app.state.mediator = mediator
    app.state.broker = broker
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(RequestContext, carriers=carried)
    app.add_middleware(ReadableStartup)
    install_problem_details(app, database)
    for feature in features:
        if feature.router is not None:
            app.include_router(feature.router)
    app.include_router(health_router(checks))
    app.include_router(metrics_router(metrics, database))
    contract = AsyncApi(settings.service_name, settings.broker_url, broker.binding, carried.names)
    app.include_router(asyncapi_router(contract.document(wiring)))
    app.include_router(
        ops_router(
            settings.ops_token,
            settings.service_name,
            database,
            wiring,
            settings.retry_policy,
            publishing=publishing,
            retrying=retrying,
        )
    )
    return app


def _start() -> FastAPI:
    try:
        settings = load_settings()
        return create_app(settings, spans=tracer_provider(settings.service_name))
    except ConfigurationError as error:
        sys.exit("\n".join(f"Cannot start: {problem}" for problem in error.problems))


app = _start()
