"""Aggregates: the objects that hold the business rules and record what happened."""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

from app.building_blocks.messages import DomainEvent

_order = count()


def utc_now() -> datetime:
    return datetime.now(UTC)


class AggregateRoot(SQLModel):
    """Base of every aggregate (Evans, Domain-Driven Design): loaded, changed and saved whole.

    `id` is a UUIDv7 (RFC 9562), so newer rows sort last. `version` is the optimistic lock:
    an UPDATE that finds another version raises, and the caller gets a conflict.
    """

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    version: int = 0
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]

    def record(self, event: DomainEvent) -> None:
        """Remember `event`; the mediator dispatches it in the same transaction."""
        self._recorded().append((next(_order), event))

    @property
    def has_recorded(self) -> bool:
        """Whether there is an event since the last call of `pull_events`."""
        return bool(self.__dict__.get("_recorded_events"))

    def pull_events(self) -> list[DomainEvent]:
        """The events recorded since the last call, oldest first."""
        return [event for _, event in self.pull_recorded()]

    def pull_recorded(self) -> list[tuple[int, DomainEvent]]:
        """The same, with numbers that order the events of several aggregates."""
        recorded = self._recorded()
        pulled = recorded[:]
        recorded.clear()
        return pulled

    def _recorded(self) -> list[tuple[int, DomainEvent]]:
        # Rows that the ORM loads skip __init__ and with it every private attribute.
        recorded: list[tuple[int, DomainEvent]] = self.__dict__.setdefault("_recorded_events", [])
        return recorded
