"""The error that a transaction has met, for whoever would commit it all the same.

Some databases end a transaction with a failed statement, or with a deadlock, and answer its commit
as if nothing had happened: what somebody swallowed would be lost without a word.
"""

from typing import Any

from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_MET = "error_met"


def remember_errors(engine: AsyncEngine) -> None:
    """From now on `error_met` tells of the transactions of `engine`."""
    event.listen(engine.sync_engine, "begin", _forget)
    event.listen(engine.sync_engine, "handle_error", _remember)


def error_met(connection: AsyncConnection) -> DBAPIError | None:
    """The last error of its transaction, outside of a savepoint, which would have undone it."""
    met: DBAPIError | None = connection.info.get(_MET)
    return met


def _forget(connection: Connection) -> None:
    connection.info.pop(_MET, None)


def _remember(context: ExceptionContext) -> None:
    connection: Any = context.connection
    error = context.sqlalchemy_exception
    if connection is None or connection.invalidated or connection.in_nested_transaction():
        return
    if isinstance(error, DBAPIError):
        connection.info[_MET] = error
