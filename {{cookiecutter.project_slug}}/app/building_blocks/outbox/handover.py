"""The short way of an event: from the transaction that wrote it to this process's publisher.

A row that is written as claimed need not be looked for and claimed after the commit, which takes
longer than to publish it. When the process dies on the way the claim runs out, and whoever looks
for due rows finds it.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.claimed_row import ClaimedRow, last_moment
from app.building_blocks.outbox.due import keys_with_earlier_rows

Take = Callable[[Sequence[ClaimedRow]], None]


class Handover:
    """Open while the publisher runs, has room, and knows of no outage.

    `lease` is in seconds: how long others wait for a process that died.
    """

    def __init__(self, dialect: Dialect, *, lease: float = 12.0) -> None:
        self.lease = lease
        self._dialect = dialect
        self._take: Take | None = None
        self._has_room: Callable[[], bool] = lambda: False

    def open(self, take: Take, has_room: Callable[[], bool]) -> None:
        """From now on `take` gets the rows, while it `has_room`."""
        self._take, self._has_room = take, has_room

    @property
    def is_open(self) -> bool:
        """Whether it takes rows now."""
        return self._has_room()

    def close(self) -> None:
        """The publisher stops."""
        self._take, self._has_room = None, lambda: False

    async def claim(
        self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]
    ) -> list[ClaimedRow]:
        """Those of `rows`, about to be written, that may be; not behind another of their key.

        Transactions on one aggregate have taken turns before they write rows, so that an earlier
        row of its key is visible here unless it went out.
        """
        if not self.is_open:
            return []
        busy = set[str]()
        if keys := {row["key"] for row in rows} - {None}:
            earlier = keys_with_earlier_rows(self._dialect, keys)
            busy.update(await connection.scalars(earlier))
        token = str(uuid4())
        send_before = last_moment(self.lease)
        return [
            ClaimedRow(
                token, row["message_id"], row["topic"], row["key"], row["headers"], row["payload"],
                attempts=0, send_before=send_before,
            )
            for row in rows
            if row["key"] not in busy
        ]  # fmt: skip

    def give(self, rows: Sequence[ClaimedRow]) -> None:
        """They are committed: publish them. Without a publisher any more their claim runs out."""
        if self._take is not None:
            self._take(rows)
