"""The mediator: one way in for every command and query."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import stamina
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import ConflictError
from app.building_blocks.messages import Command, DomainEvent, Query, R
from app.building_blocks.outbox.outbox import Outbox
from app.building_blocks.routes import Routes
from app.building_blocks.touched import HoldingSession
from app.building_blocks.unit_of_work import UnitOfWork

CallNext = Callable[[Command[Any]], Awaitable[Any]]
Behaviour = Callable[[Command[Any], CallNext], Awaitable[Any]]
"""Wraps every command: `async def behaviour(command, call_next)`. The first is the outermost."""


class Mediator:
    """Finds the handler of a command and runs it, with all that follows, in one transaction.

    A mediator `within` a unit of work joins its transaction; any other opens a new one for each
    command. (Gamma et al., Mediator; the pipeline of behaviours is MediatR's.)
    """

    def __init__(
        self,
        routes: Routes,
        database: Database,
        outbox: Outbox,
        behaviours: Sequence[Behaviour] = (),
        open_unit_of_work: UnitOfWork | None = None,
    ) -> None:
        self._routes = routes
        self.database = database
        self._outbox = outbox
        self._behaviours = behaviours
        self._open = open_unit_of_work

    def within(self, uow: UnitOfWork) -> Mediator:
        """The same mediator, joined to `uow`."""
        return Mediator(self._routes, self.database, self._outbox, self._behaviours, uow)

    async def send(self, command: Command[R]) -> R:
        """Carry out `command`. Raises what its handler raises, and ConflictError.

        The outermost command commits, and starts over up to `conflict_retries` times.
        """
        call: CallNext = self._handle
        for behaviour in reversed(self._behaviours):
            call = _wrapped(behaviour, call)
        result: R = await call(command)
        return result

    async def ask(self, query: Query[R]) -> R:
        """Answer `query`, inside the open transaction if there is one, else without any."""
        handler = self._routes.queries[type(query)]
        if self._open is not None:
            joined: R = await handler(query, self._open.session)
            return joined
        async with self.database.read() as session:
            result: R = await handler(query, session)
            return result

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction, and commit it with its outbox rows at the end of the block."""
        try:
            async with self.database.transaction(HoldingSession) as session:
                uow = UnitOfWork(session, self.database, self._outbox, self._send_within)
                yield uow
                await uow.flush()
        except StaleDataError as error:
            raise ConflictError("Somebody else changed it first: load it and try again") from error
        except DBAPIError as error:
            if not self.database.is_deadlock(error):
                raise
            raise ConflictError("Somebody else is changing it now: try again") from error
        self._outbox.committed(uow.claimed, others_wait=uow.others_wait)

    async def _send_within(self, uow: UnitOfWork, command: Command[Any]) -> Any:
        return await self.within(uow).send(command)

    async def _handle(self, command: Command[Any]) -> Any:
        if self._open is not None:
            return await self._execute(command, self._open)
        attempts = 1 + command.conflict_retries
        async for attempt in stamina.retry_context(
            on=ConflictError, attempts=attempts, timeout=None, wait_initial=0.01, wait_max=0.5
        ):
            with attempt:
                async with self.unit_of_work() as uow:
                    result = await self._execute(command, uow)
        return result

    async def _execute(self, command: Command[Any], uow: UnitOfWork) -> Any:
        result = await self._routes.commands[type(command)](command, uow)
        while events := uow.pull_events():
            for event in events:
                await self._dispatch(event, uow)
        return result

    async def _dispatch(self, event: DomainEvent, uow: UnitOfWork) -> None:
        for handler in self._routes.domain_event_handlers.get(type(event), ()):
            await handler(event, uow)
        for convert in self._routes.converters.get(type(event), ()):
            uow.publish(convert(event))


def _wrapped(behaviour: Behaviour, call_next: CallNext) -> CallNext:
    async def call(command: Command[Any]) -> Any:
        return await behaviour(command, call_next)

    return call
