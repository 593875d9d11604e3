"""Which messages an operator means."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, or_

from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.operations.states import State
from app.building_blocks.operations.times import in_utc
from app.building_blocks.text import storable

_EXACT = ("message_id", "consumer", "topic", "key")


class MessageFilter(NamedTuple):
    """All that is given has to fit. `since` and `until` are times with a zone.

    `text` is a part of the payload, the last error or the message id, with its capitals.
    `hidden` are topics whose payloads hold secrets: `text` is not looked for in them, nor in errors
    that came of them.
    """

    message_id: str | None = None
    consumer: str | None = None
    topic: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    hidden: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether every message fits."""
        return self in (
            MessageFilter(hidden=self.hidden),
            MessageFilter(text="", hidden=self.hidden),
        )

    def is_quick(self, state: State) -> bool:
        """Whether an index leads to all that fit, so that there is no need to search for them."""
        given = any(getattr(self, name) is not None for name in state.indexed)
        return given or self.is_empty

    def conditions(self, state: State, dialect: Dialect) -> list[ColumnElement[bool]]:
        """What has to be true of a row of `state`."""
        columns = state.table.c
        fits = self.times(state)
        for name in _EXACT:
            value = getattr(self, name)
            if value is None:
                continue
            # What a message cannot have must not mean every message.
            possible = name in columns and storable(value) == value
            fits.append(columns[name] == value if possible else false())
        if self.text:
            fits.append(self._holds_text(state, dialect, self.text))
        return fits

    def times(self, state: State) -> list[ColumnElement[bool]]:
        """The part of the conditions that is about `since` and `until`."""
        fits: list[ColumnElement[bool]] = []
        if self.since is not None:
            fits.append(state.since >= in_utc(self.since))
        if self.until is not None:
            fits.append(state.since < in_utc(self.until))
        return fits

    def _holds_text(self, state: State, dialect: Dialect, text: str) -> ColumnElement[bool]:
        if storable(text) != text:
            return false()
        columns = state.table.c
        part = text.encode() if state.box == "inbox" else text
        told = [dialect.holds(columns.payload, part)]
        if "last_error" in columns:
            told.append(dialect.holds(columns.last_error, text))
        is_open = columns.topic.not_in(self.hidden)
        return or_(and_(or_(*told), is_open), dialect.holds(columns.message_id, text))
