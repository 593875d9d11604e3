"""Batches: many messages in one transaction, with one call of the handler."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from uuid import uuid4

import structlog

from app.building_blocks.carriers import Carriers
from app.building_blocks.context import (
    CAUSATION_ID,
    CORRELATION_ID,
    TRACEPARENT,
    TRACESTATE,
    carrying,
)
from app.building_blocks.inbox.attempts import Attempts
from app.building_blocks.inbox.faults import TransactionLostError
from app.building_blocks.inbox.gathering import Arrival, Gathering
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.inbox.rows import columns
from app.building_blocks.inbox.run import Run
from app.building_blocks.mediator import Mediator

ALONE_AT_ONCE = 10

log = structlog.get_logger(__name__)

_OF_ONE_MESSAGE = (CORRELATION_ID, CAUSATION_ID, TRACEPARENT, TRACESTATE)


class Batches:
    """Handles what waits at the same time together, at most `most` messages.

    Their inbox rows and all that the handler did commit together, or nothing does: then each
    message is handled `alone`, so that one that fails, or is known already, harms no other.
    """

    def __init__(
        self,
        consumer: str,
        most: int,
        inbox: Inbox,
        mediator: Mediator,
        attempts: Attempts,
        carriers: Carriers | None,
        alone: Callable[[Run], Awaitable[None]],
    ) -> None:
        self._consumer, self._carriers = consumer, carriers
        self._inbox, self._mediator, self._attempts = inbox, mediator, attempts
        self._alone = alone
        # A batch that failed leaves some room for the handlers of others.
        self._alone_at_once = asyncio.Semaphore(ALONE_AT_ONCE)
        self._gathering = Gathering(most, inbox.room, self._handle)

    async def receive(self, run: Run) -> None:
        """Return once the message is committed. Raises when the database cannot be used."""
        carried = run.carried(self._carriers)
        arrival = Arrival(run, carried, _of_many(carried))
        async with self._gathering.turn(arrival) as is_handled:
            if not is_handled:
                async with self._alone_at_once:
                    await self._alone(run)

    async def _handle(self, taken: Sequence[Arrival]) -> bool:
        runs = [one.run for one in taken]
        rows = [
            columns(one.run.message_id, self._consumer, one.run.message, one.carried)
            for one in taken
        ]
        with self._context(taken):
            try:
                async with self._mediator.unit_of_work() as uow:
                    if not await self._inbox.admit_all(await uow.connection(), rows):
                        raise _KnownAlreadyError
                    await self._attempts.make_together(uow, runs)
            except _KnownAlreadyError:
                return False
            except Exception as error:
                if self._mediator.database.is_away(error):
                    raise
                cause = error.error if isinstance(error, TransactionLostError) else error
                why = f"{type(cause).__name__}: {cause}"
                log.warning("batch failed, each of its messages is handled alone", error=why)
                return False
        self._attempts.count_handled(runs)
        return True

    def _context(self, taken: Sequence[Arrival]) -> AbstractContextManager[None]:
        """What all have carried here, and nothing that only one of them has."""
        [correlation_id, *others] = {one.carried.get(CORRELATION_ID) for one in taken}
        if correlation_id is None or others:
            correlation_id = str(uuid4())
        return carrying(
            {**taken[0].alike, CORRELATION_ID: correlation_id},
            self._carriers,
            consumer=self._consumer,
            messages=str(len(taken)),
        )


def _of_many(carried: Mapping[str, str]) -> dict[str, str]:
    """What the messages of a batch have in common: tenant, environment and other carriers."""
    return {name: value for name, value in carried.items() if name not in _OF_ONE_MESSAGE}


class _KnownAlreadyError(Exception):
    """A message of the batch has an inbox row, so all that was written has to go."""
