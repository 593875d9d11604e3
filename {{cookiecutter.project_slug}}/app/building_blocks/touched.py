"""A session that holds on to the aggregates that it has touched.

SQLAlchemy's holds unchanged objects weakly; the events that they recorded must not go with them.
"""

from sqlalchemy import event
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.aggregate import AggregateRoot

_TOUCHED = "touched"


class HoldingSession(Session):
    """Holds what it has loaded, or was given to insert, as long as it is there itself."""


def touched_by(session: AsyncSession) -> list[AggregateRoot]:
    """Each aggregate once, in the order in which they were touched first."""
    return list(session.info.get(_TOUCHED, {}).values())


def _touch(session: HoldingSession, instance: object) -> None:
    if isinstance(instance, AggregateRoot):
        session.info.setdefault(_TOUCHED, {})[id(instance)] = instance


# Of the class: to listen on each session takes longer than to open it.
for _moment in ("loaded_as_persistent", "transient_to_pending", "detached_to_persistent"):
    event.listen(HoldingSession, _moment, _touch)
