"""`publisher run`: a process that publishes, without HTTP and without subscribers."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

import structlog
from opentelemetry.trace import TracerProvider

from app.building_blocks.background import BackgroundTask
from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.brokers.connection import BrokerConnection
from app.building_blocks.command_line.exits import DATABASE, CommandError
from app.building_blocks.databases.database import Database
from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.exporting import flush
from app.building_blocks.garbage import leave_out_what_is_loaded
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.reporter import Reporter
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.signalling import listening
from app.building_blocks.retention import Retention
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.tracing import Tracing
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)

MEMORY_IS_NOT_SHARED = (
    "BROKER_URL is memory://, which reaches nobody outside its process: a publisher of its own "
    "would take the messages away from the handlers. The service publishes by itself."
)


class PublisherProcess:
    """Publishes what waits, cleans up and reports, as the service itself does beside HTTP.

    `retention_hours` is how long published rows stay, `poll_interval` is in seconds; `spans` as
    for the service.
    """

    def __init__(
        self,
        database: Database,
        broker: BrokerAdapter,
        topics: Sequence[str],
        *,
        refusals: RetryPolicy,
        retention_hours: float,
        batch_size: int,
        poll_interval: float,
        spans: TracerProvider | None = None,
    ) -> None:
        self._database, self._broker, self._spans = database, broker, spans
        self._migrations = Migrations(database)
        for topic in topics:
            broker.declare(topic)
        metrics = Metrics()
        publishing, connecting, deleting, reporting = WakeUp(), WakeUp(), WakeUp(), WakeUp()
        connection = BrokerConnection(broker, connecting)
        publisher = Publisher(
            Claims(database, keep_published=retention_hours > 0),
            broker,
            publishing,
            metrics,
            refusals=refusals,
            batch_size=batch_size,
            poll_interval=poll_interval,
            tracing=Tracing(spans, broker.binding.system),
        )
        retention = Retention(database, deleting, outbox_hours=retention_hours)
        self._tasks = [
            BackgroundTask("retention", retention.run, deleting),
            BackgroundTask("broker connection", connection.run, connecting, grace=1.0),
            BackgroundTask("outbox publisher", publisher.run, publishing),
        ]
        if database.signals is not None:
            self._tasks.append(listening(database.signals, publishing))
        checks = {"database": self._migrations.problem, "broker": connection.problem}
        checks |= {"publishing": publisher.check}
        checks |= {task.name: task.check for task in self._tasks}
        reporter = Reporter(database, metrics, checks, reporting)
        self._tasks.append(BackgroundTask("reporter", reporter.run, reporting))

    async def run(self, told_to_end: asyncio.Event) -> None:
        """Publish until `told_to_end`. Raises CommandError when a migration is missing."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(flush, self._spans)
            stack.push_async_callback(self._database.dispose)
            await self._require_migrations()
            stack.push_async_callback(self._broker.stop)
            for task in self._tasks:
                await stack.enter_async_context(task)
            stack.enter_context(leave_out_what_is_loaded())
            log.info("publisher runs")
            await told_to_end.wait()
            log.info("publisher ends")
            for task in self._tasks:
                task.stop_soon()

    async def _require_migrations(self) -> None:
        try:
            await self._migrations.require()
        except ConfigurationError as error:
            raise CommandError(DATABASE, str(error)) from None


async def run_until_signal(process: PublisherProcess) -> None:
    """Until SIGTERM, or Ctrl-C."""
    told_to_end, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Where signals cannot be handled like this, Ctrl-C cancels.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, told_to_end.set)
    await process.run(told_to_end)
