"""What runs behind HTTP: database, broker, mediator, consumers and background tasks."""

from collections.abc import Sequence

from opentelemetry.trace import TracerProvider

from app.broker import open_broker
from app.building_blocks.background import BackgroundTask
from app.building_blocks.behaviours import log_commands, trace_commands
from app.building_blocks.brokers.connection import BrokerConnection
from app.building_blocks.carriers import Carrier, Carriers
from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.http.health import Check
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.inbox.dead_letters import Announcer, OnDeadLetter
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.inbox.retrier import Retrier
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.operations.backlog_age import BacklogAge
from app.building_blocks.operations.reporter import Reporter
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.outbox.handover import Handover
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.outbox.publisher import Publisher
from app.building_blocks.outbox.signalling import listening, signalling
from app.building_blocks.retention import Retention
from app.building_blocks.tracing import Tracing
from app.building_blocks.wake_up import WakeUp
from app.building_blocks.wiring import Wiring
from app.database import open_database
from app.settings import Settings


class Machinery:
    """Nothing connects before its background tasks begin.

    Raises ConfigurationError when a URL cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        wiring: Wiring,
        carriers: Sequence[Carrier],
        spans: TracerProvider | None,
        on_dead_letter: OnDeadLetter | None,
    ) -> None:
        self._settings = settings
        self.database = open_database(settings.database_url)
        self.metrics, self.publishing, self.retrying = Metrics(), WakeUp(), WakeUp()
        self.broker = open_broker(settings.broker_url, settings.service_name, self.metrics.registry)
        self._tracing = Tracing(spans, self.broker.binding.system)
        self.carried = Carriers(carriers, settings.trusted_headers, settings.environment)
        self._environments = Environments(settings.environment)
        self._inbox = Inbox(self.database.dialect)
        self._handover = Handover(self.database.dialect)
        self.mediator = self._new_mediator(wiring)
        self._consumers = self._new_consumers(wiring, Announcer(on_dead_letter))
        self._bind(wiring)

        self.migrations = Migrations(self.database)
        connecting = WakeUp()
        connection = BrokerConnection(self.broker, connecting)
        publisher = self._new_publisher()
        self.background = [
            *self._cleaning(),
            BackgroundTask("broker connection", connection.run, connecting, grace=1.0),
            *self._publishing(publisher),
        ]
        backlog = BacklogAge(self.database, settings.ready_max_backlog_age)
        self.checks: dict[str, Check] = {
            "database": self.migrations.problem,
            "broker": connection.problem,
            "backlog": backlog.check,
            "publishing": publisher.check,
            **{task.name: task.check for task in self.background},
        }
        self.background.append(self._reporting())

    def _new_mediator(self, wiring: Wiring) -> Mediator:
        outbox = Outbox(
            self.database.dialect,
            self._settings.service_name,
            self.publishing,
            handover=self._handover,
            carriers=self.carried,
        )
        behaviours = (trace_commands(self._tracing), log_commands)
        return Mediator(wiring.routes, self.database, outbox, behaviours=behaviours)

    def _new_consumers(self, wiring: Wiring, announcer: Announcer) -> list[Consumer]:
        return [
            Consumer(
                self._settings.service_name,
                subscription,
                self._inbox,
                self.mediator,
                self.metrics,
                announcer,
                self._settings.retry_policy,
                self.retrying,
                self._tracing,
                self.carried,
                self._environments,
            )
            for subscription in wiring.subscriptions
        ]

    def _bind(self, wiring: Wiring) -> None:
        for event in wiring.published:
            self.broker.declare(event.topic)
            self.metrics.expect_topic(event.topic)
        for one in self._consumers:
            self.broker.subscribe(
                one.topic, one.name, one.receive, ordered=one.ordered, at_once=one.at_once
            )

    def _new_publisher(self) -> Publisher:
        settings = self._settings
        return Publisher(
            Claims(self.database, keep_published=settings.outbox_retention_hours > 0),
            self.broker,
            self.publishing,
            self.metrics,
            refusals=settings.retry_policy,
            handover=self._handover,
            batch_size=settings.outbox_batch_size,
            poll_interval=settings.outbox_poll_interval,
            tracing=self._tracing,
        )

    def _publishing(self, publisher: Publisher) -> list[BackgroundTask]:
        signals = self.database.signals
        if self._settings.outbox_publisher_enabled:
            publishing = BackgroundTask("outbox publisher", publisher.run, self.publishing)
            return [publishing, listening(signals, self.publishing)] if signals else [publishing]
        return [signalling(signals, self.publishing)] if signals else []

    def _cleaning(self) -> list[BackgroundTask]:
        deleting = WakeUp()
        hours = self._settings.outbox_retention_hours
        retention = Retention(self.database, deleting, outbox_hours=hours)
        retrier = Retrier(
            self.database,
            self._inbox,
            self._consumers,
            self.retrying,
            self._environments,
            poll_interval=self._settings.outbox_poll_interval,
        )
        return [
            BackgroundTask("retention", retention.run, deleting),
            BackgroundTask("inbox retrier", retrier.run, self.retrying),
        ]

    def _reporting(self) -> BackgroundTask:
        waking = WakeUp()
        reporter = Reporter(
            self.database,
            self.metrics,
            self.checks,
            waking,
            environments=self._environments,
            consumers=[consumer.name for consumer in self._consumers],
        )
        return BackgroundTask("reporter", reporter.run, waking)
