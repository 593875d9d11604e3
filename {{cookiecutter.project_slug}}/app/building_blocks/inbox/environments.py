"""Environments: deployments of a service that stand beside the default one, as canaries do.

All share the database and the consumers' queues, so an event may reach a replica of another
environment. That one writes it down as due, and a retrier of its environment takes it from
there. The idea is CAP's and NetCorePal's environment-based consumers; here a replica that goes
away loses nothing, because what was handed over is a row.
"""

from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, and_, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.inbox.table import inbox
from app.building_blocks.operations.activity import SILENT_AFTER
from app.building_blocks.operations.replica_table import replicas

log = structlog.get_logger(__name__)


class Environments:
    """Which of them exist, as far as is known here, and which messages are for this process.

    `own` is where this process belongs, "" for the default deployment. An environment exists
    for a consumer while a process of it that has this consumer is heard of. Nothing is asked
    of the database but by `look`.
    """

    def __init__(self, own: str = "") -> None:
        self.own = own
        # Until the first look every environment may exist: handing over is always safe.
        self._consumers: dict[str, set[str]] | None = None
        self._is_alone = False

    async def look(self, connection: AsyncConnection, now: datetime) -> None:
        """Find out which exist at `now`, by the database's clock."""
        alive = replicas.c.seen_at > now - SILENT_AFTER
        search = select(replicas.c.environment, replicas.c.consumers).where(alive)
        found: dict[str, set[str]] = {}
        for environment, consumers in await connection.execute(search):
            found.setdefault(environment or "", set()).update(consumers or ())
        is_alone = bool(self.own) and not found.pop("", None)
        if is_alone and not self._is_alone:
            log.warning(
                "no replica of the default deployment lives: events without an environment wait",
                environment=self.own,
            )
        self._consumers, self._is_alone = found, is_alone

    def is_mine(self, environment: str | None, consumer: str) -> bool:
        """Whether a message of `environment` is to be handled here."""
        if self.own or environment is None:
            return (environment or "") == self.own
        return self._consumers is not None and consumer not in self._consumers.get(environment, ())

    def mine(self) -> ColumnElement[bool]:
        """The same of inbox rows: what the retrier of this process may take."""
        if self.own:
            return inbox.c.environment == self.own
        if self._consumers is None:
            return inbox.c.environment.is_(None)
        if not self._consumers:
            return true()
        theirs = [
            and_(inbox.c.environment == name, inbox.c.consumer.in_(sorted(consumers)))
            for name, consumers in self._consumers.items()
        ]
        return or_(inbox.c.environment.is_(None), not_(or_(*theirs)))
