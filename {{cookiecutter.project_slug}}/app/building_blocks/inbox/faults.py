"""Whose failure it was: the handler's, or somebody else's."""

import asyncio
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

IsAway = Callable[[BaseException], bool]


class TransactionLostError(Exception):
    """The handler failed with `error`, and its transaction is past recording that."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def failure_of_run(error: Exception | asyncio.CancelledError, is_away: IsAway) -> Exception:
    """The handler's failure; what is not the handler's is raised again."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise error
        # Nobody stops this run: the handler waited for something that was cancelled.
        return RuntimeError(repr(error))
    if isinstance(error, DBAPIError) and is_away(error):
        # The broker brings the message back.
        raise error
    return error


def failure_of_transaction(error: TransactionLostError | DBAPIError, is_away: IsAway) -> Exception:
    """The same of an error that ended the transaction."""
    if isinstance(error, TransactionLostError):
        return error.error
    if is_away(error):
        raise error
    # Some constraints are checked only at the commit.
    return error
