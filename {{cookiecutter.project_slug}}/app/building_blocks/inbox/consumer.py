"""A consumer: one integration event handler of one service, with its inbox."""

import asyncio
import hashlib
from typing import Any

import structlog
from pydantic import ValidationError

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.context import CAUSATION_ID, CORRELATION_ID, carrying
from app.building_blocks.feature import Subscription
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.metrics import Metrics
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

_LONGEST_ID = 255


class UnreadableMessageError(Exception):
    """No handler can take this message, however often it comes."""


class Consumer:
    """Runs the handler of one subscription, once in effect for each message.

    The inbox row, what the handler changed and what it published commit together. When the
    handler raises, its part is rolled back and the row says when to try again.
    """

    def __init__(
        self,
        service: str,
        subscription: Subscription,
        inbox: Inbox,
        mediator: Mediator,
        metrics: Metrics,
        default_retry: RetryPolicy,
    ) -> None:
        self.name = f"{service}.{subscription.name}"
        self.topic = subscription.event.topic
        self.retry_policy = subscription.retry or default_retry
        self._event = subscription.event
        self._handler = subscription.handler
        self._inbox = inbox
        self._mediator = mediator
        self._metrics = metrics

    async def receive(self, message: BrokerMessage) -> None:
        """Handle one delivery. Raises only when the database cannot be used right now."""
        message_id = _id_of(message)
        with _context_of(message, message_id, self.name):
            async with self._mediator.unit_of_work() as uow:
                if await self._inbox.admit(uow.session, message_id, self.name, message):
                    await self._attempt(uow, message_id, message, attempts=1)
                else:
                    self._metrics.duplicates.labels(self.name).inc()

    async def retry(self, message_id: str) -> None:
        """Handle a message again whose time has come, unless somebody else is at it."""
        async with self._mediator.unit_of_work() as uow:
            row = await self._inbox.take_due(uow.session, message_id, self.name)
            if row is None:
                return
            message = BrokerMessage(row.topic, row.payload, row.headers, row.key)
            with _context_of(message, message_id, self.name):
                await self._attempt(uow, message_id, message, attempts=row.attempts + 1)

    async def _attempt(
        self, uow: UnitOfWork, message_id: str, message: BrokerMessage, attempts: int
    ) -> None:
        try:
            event = _read(message, self._event)
            with self._metrics.handling_seconds.labels(self.name).time():
                async with uow.savepoint(), asyncio.timeout(self.retry_policy.timeout):
                    await self._handler(event, self._mediator.within(uow))
        except Exception as error:
            await self._failed(uow, message_id, attempts, error)
            return
        if attempts > 1:
            await self._inbox.mark_handled(uow.session, message_id, self.name, attempts)
        self._metrics.handled.labels(self.name).inc()

    async def _failed(
        self, uow: UnitOfWork, message_id: str, attempts: int, error: Exception
    ) -> None:
        is_final = isinstance(error, UnreadableMessageError)
        retry_in = None if is_final else self.retry_policy.delay_after(attempts, error)
        reason = f"{type(error).__name__}: {error}"
        await self._inbox.mark_failed(
            uow.session, message_id, self.name, attempts, reason, retry_in
        )
        self._metrics.failed.labels(self.name).inc()
        if retry_in is None:
            self._metrics.dead.labels(self.name).inc()
            log.error("dead letter", attempts=attempts, error=reason, exc_info=error)
        else:
            log.warning("handler failed", attempts=attempts, error=reason, retry_in=retry_in)


def _id_of(message: BrokerMessage) -> str:
    message_id = message.headers.get("ce-id", "")
    if 0 < len(message_id) <= _LONGEST_ID:
        return message_id
    # The same bytes get the same id, so that a foreign message is kept once if it comes again.
    return f"sha256:{hashlib.sha256(message.body).hexdigest()}"


def _read(message: BrokerMessage, event: type[IntegrationEvent]) -> Any:
    message_id, kind = message.headers.get("ce-id"), message.headers.get("ce-type")
    if not message_id or not kind:
        raise UnreadableMessageError("the headers ce-id and ce-type (CloudEvents 1.0) are missing")
    if len(message_id) > _LONGEST_ID:
        raise UnreadableMessageError(f"ce-id is longer than {_LONGEST_ID} characters")
    if kind != event.topic:
        raise UnreadableMessageError(f"ce-type is {kind!r}, expected {event.topic!r}")
    try:
        return event.model_validate_json(message.body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise UnreadableMessageError(f"not a {event.__name__}: {problems}") from error


def _context_of(message: BrokerMessage, message_id: str, consumer: str) -> Any:
    return carrying(
        {CORRELATION_ID: message_id, **message.headers, CAUSATION_ID: message_id},
        message_id=message_id,
        consumer=consumer,
    )
