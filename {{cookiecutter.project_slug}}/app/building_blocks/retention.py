"""Deletes what was published and handled long ago, a few rows at a time."""

from typing import Any

import structlog
from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, select

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import DISCARDED, HANDLED, inbox
from app.building_blocks.outbox.table import published
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)


class Retention:
    """Deletes in small transactions, so that writers and other replicas hardly notice.

    Dead rows stay until somebody acts. A duplicate that arrives after its inbox row is gone is
    a new message.
    """

    def __init__(
        self,
        database: Database,
        wake_up: WakeUp,
        *,
        outbox_hours: float,
        inbox_hours: float = 7 * 24,
        interval: float = 60.0,
        batch_size: int = 500,
    ) -> None:
        self._database = database
        self._wake_up = wake_up
        self._outbox_hours = outbox_hours
        self._inbox_hours = inbox_hours
        self._interval = interval
        self._batch_size = batch_size

    async def run(self) -> None:
        """Delete every `interval` seconds until told to stop."""
        while not self._wake_up.closed:
            await self.delete_once()
            await self._wake_up.sleep(self._interval)

    async def delete_once(self) -> int:
        """Delete everything that is old by now. Returns the number of rows."""
        return await self.delete_published() + await self.delete_handled()

    async def delete_published(self) -> int:
        """Of the outbox, what was published long ago."""
        return await self._delete(
            published, published.c.published_at < self._ago(self._outbox_hours)
        )

    async def delete_handled(self) -> int:
        """Of the inbox, what was handled or discarded long ago."""
        is_old = and_(
            inbox.c.state.in_((HANDLED, DISCARDED)),
            inbox.c.handled_at < self._ago(self._inbox_hours),
        )
        return await self._delete(inbox, is_old)

    def _ago(self, hours: float) -> ColumnElement[Any]:
        return self._database.dialect.later(-hours * 3600)

    async def _delete(self, table: Table, is_old: ColumnElement[bool]) -> int:
        keys = list(table.primary_key)
        some = select(*keys).where(is_old).limit(self._batch_size)
        # Row by row through the primary key: a search of its own could wait for the rows that
        # another replica is deleting, while that one waits for ours.
        one = delete(table).where(*(key == bindparam(f"old_{key.name}") for key in keys))
        deleted = 0
        while True:
            async with self._database.begin() as connection:
                # Two replicas that clean up at once take different rows.
                rows = await connection.execute(some.with_for_update(skip_locked=True))
                old = [{f"old_{key.name}": row[key] for key in keys} for row in rows.mappings()]
                if old:
                    await connection.execute(one, old)
            deleted += len(old)
            if len(old) < self._batch_size or self._wake_up.closed:
                return deleted
