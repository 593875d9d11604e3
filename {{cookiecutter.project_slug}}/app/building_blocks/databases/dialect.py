"""What the machinery asks of a kind of database, beyond what SQLAlchemy evens out."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.building_blocks.wake_up import WakeUp


class Signals(Protocol):
    """Tells publishers in other processes that rows wait, sooner than they would look."""

    async def listen(self, wake: Callable[[], None], closing: WakeUp) -> None:
        """Call `wake` at every signal until `closing`. Raises when the connection is lost."""

    async def send(self) -> None:
        """Wake whoever listens."""


class Dialect(Protocol):
    """One kind of database. Every time in the machinery is read off the database's clock."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URL schemes that it accepts for DATABASE_URL."""

    @property
    def driver(self) -> str:
        """SQLAlchemy's name for the dialect with its driver, as in `dialect+driver`."""

    @property
    def strays(self) -> bool:
        """Whether its planner takes `state = 'dead' ORDER BY position` for a walk along the primary
        key, past all the rows of other states. Then a state is better said as a range."""

    @property
    def deletes_within(self) -> bool:
        """Whether another statement may begin with a DELETE and go on with what it deleted."""

    def engines(self, url: str) -> tuple[AsyncEngine, AsyncEngine]:
        """One engine for transactions that write, one whose statements commit by themselves."""

    def writers_turn(self) -> AbstractAsyncContextManager[Any]:
        """What a transaction of this process has to hold; a lock where only one may write."""

    def is_away(self, error: DBAPIError) -> bool:
        """Whether `error` tells of a server that is not there, or a file that is not free."""

    def is_deadlock(self, error: DBAPIError) -> bool:
        """Whether the transaction was rolled back for the sake of another: it may run again."""

    def signals(self, engine: AsyncEngine) -> Signals | None:
        """The database's own way to signal between processes, if it has one."""

    def now(self) -> ColumnElement[datetime]:
        """The database's clock, in UTC, with at least milliseconds."""

    def later(self, seconds: float) -> ColumnElement[datetime]:
        """`seconds` after now, on the same clock."""

    def among(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Whether `column` is one of a list, which the statement is given as the parameter `name`.

        An IN with hundreds of parameters takes longer to write and to read than to run.
        """

    def holds(self, column: ColumnElement[Any], part: str | bytes) -> ColumnElement[bool]:
        """Whether `part` is somewhere in a column of text or of bytes; capitals count."""

    async def insert_if_absent(
        self,
        connection: AsyncConnection,
        table: Table,
        row: dict[str, Any],
        times: tuple[str, ...] = (),
    ) -> bool:
        """Insert `row` unless its primary key exists already; say whether it was inserted.

        It gets what time it is in the columns `times`. Waits for a transaction that is inserting
        the same key, and the transaction goes on.
        """

    async def insert_all(
        self,
        connection: AsyncConnection,
        table: Table,
        rows: Sequence[dict[str, Any]],
        times: Collection[str],
    ) -> None:
        """Insert `rows` in one statement, each with what time it is in the columns `times`.

        Waits as `insert_if_absent` does. Raises IntegrityError when a key exists already.
        """
