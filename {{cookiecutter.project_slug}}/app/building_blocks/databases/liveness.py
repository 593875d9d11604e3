"""Whether a pooled connection is still there: asked when it has lain idle, not at each use.

What SQLAlchemy offers (`pool_pre_ping`) asks before every transaction, which costs up to three
round trips: as much as the rest of a short one.
"""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

IDLE_SECONDS = 1.0
_SINCE = "idle_since"


def ping_when_idle(engine: AsyncEngine, after: float = IDLE_SECONDS) -> None:
    """From now on a connection that was unused for `after` seconds is pinged before it is used.

    One that does not answer is replaced, with all others that lie idle.
    """
    dialect = engine.sync_engine.dialect

    def note(connection: Any, record: Any) -> None:
        record.info[_SINCE] = time.monotonic()

    def ask(connection: Any, record: Any, proxy: Any) -> None:
        since = record.info.get(_SINCE)
        if since is None or time.monotonic() - since < after:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", note)
    event.listen(engine.sync_engine, "checkout", ask)
