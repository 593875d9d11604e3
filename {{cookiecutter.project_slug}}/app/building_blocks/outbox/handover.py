"""The short way of an event: from the transaction that wrote it to this process's publisher.

A row that is written as claimed need not be looked for and claimed after the commit, which takes
longer than to publish it. When the process dies on the way the claim runs out, and whoever looks
for due rows finds it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.outbox.claimed_row import ClaimedRow, times_of
from app.building_blocks.outbox.due import earlier_rows

_MOST_EARLIER_ROWS = 200


class Receiver(NamedTuple):
    """The publisher, as far as rows are handed over to it.

    `take` gets those that were committed; there is `room` for so many; of some keys it has those
    messages in hand that are `known`, by their id.
    """

    take: Callable[[Sequence[ClaimedRow]], None]
    room: Callable[[], int]
    known: Callable[[Collection[str]], Collection[str]]


class Handover:
    """Open while the publisher runs, has room, and knows of no outage.

    What is committed while it is closed is kept for the publisher that opens it again.

    `lease` is in seconds: how long others wait for a process that died.
    """

    def __init__(self, dialect: Dialect, *, lease: float = 12.0) -> None:
        self.lease = lease
        self._earlier = earlier_rows(dialect)
        self._receiver: Receiver | None = None
        self._left: list[ClaimedRow] = []

    def open(self, receiver: Receiver) -> None:
        """From now on `receiver` gets the rows."""
        self._receiver = receiver
        left, self._left = self._left, []
        if left:
            receiver.take(left)

    @property
    def is_open(self) -> bool:
        """Whether it takes rows now."""
        return self._receiver is not None and self._receiver.room() > 0

    def close(self) -> None:
        """The publisher stops."""
        self._receiver = None

    async def claim(
        self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]
    ) -> list[ClaimedRow]:
        """Those of `rows`, about to be written, that may be.

        Not behind another of their key, unless the publisher has that one in hand. Transactions
        on one aggregate have taken turns before they write rows, so that an earlier row of its
        key is visible here unless it went out.
        """
        receiver = self._receiver
        # The first ones: whatever has to wait is behind them in its key.
        if receiver is None or not (rows := rows[: max(0, receiver.room())]):
            return []
        token, times = str(uuid4()), times_of(self.lease)
        busy = set[str]()
        if keys := {row["key"] for row in rows} - {None}:
            most = 1 if len(keys) == 1 else _MOST_EARLIER_ROWS
            which = {"keys": list(keys), "known": list(receiver.known(keys)), "most": most}
            found = (await connection.scalars(self._earlier, which)).all()
            # When there are more, nobody knows of which keys.
            busy = keys if len(found) == most else set(found)
        return [
            ClaimedRow(
                token, row["message_id"], row["topic"], row["key"], row["headers"], row["payload"],
                0, *times,
            )
            for row in rows
            if row["key"] not in busy
        ]  # fmt: skip

    def give(self, rows: Sequence[ClaimedRow]) -> None:
        """They are committed: publish them."""
        if self._receiver is not None:
            self._receiver.take(rows)
        else:
            self._left += rows
