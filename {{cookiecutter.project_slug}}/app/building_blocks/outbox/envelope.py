"""An integration event on its way into the outbox: checked, then turned into a row."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import PydanticSerializationError
from uuid_utils import uuid7

from app.building_blocks.carriers import Carriers
from app.building_blocks.context import CORRELATION_ID, current_context
from app.building_blocks.errors import EventRefusedError
from app.building_blocks.integration_event import IntegrationEvent

_HEADER_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_RESERVED = {"content-type", "message-id"}
_NO_MORE = Carriers()
_LONGEST_KEY = 255


class Envelope:
    """An event with what is said about it, not in it.

    `delay` is in seconds, on the database's clock; `deliver_at` is an aware time. `headers`
    reach every handler's context of the wire, next to those that the machinery sets.
    """

    def __init__(
        self,
        event: IntegrationEvent,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        deliver_at: datetime | None = None,
    ) -> None:
        self.event, self.headers = event, headers or {}
        self.delay, self.deliver_at = delay, deliver_at
        # Of the moment of the publish: the row may be written after its command has ended.
        self.context = current_context()

    def row(
        self, service: str, max_payload_bytes: int, carriers: Carriers = _NO_MORE
    ) -> dict[str, Any]:
        """The columns of the outbox row. Raises EventRefusedError."""
        kind, key = type(self.event).__name__, self._checked_key()
        if self.headers:
            self._check_headers(kind, carriers)
        if self.deliver_at is not None and self.deliver_at.tzinfo is None:
            raise EventRefusedError(f"{kind}: deliver_at {self.deliver_at} has no time zone")
        message_id = str(uuid7())
        attributes = {
            "ce-specversion": "1.0",
            "ce-id": message_id,
            "ce-type": self.event.topic,
            "ce-source": f"/{service}",
            "ce-time": datetime.now(UTC).isoformat(),
            "content-type": "application/json",
        } | ({} if key is None else {"ce-subject": key})
        context = {CORRELATION_ID: message_id, **carriers.stamp, **self.context}
        return {
            "message_id": message_id,
            "topic": self.event.topic,
            "key": key,
            "correlation_id": context[CORRELATION_ID],
            "headers": {**self.headers, **context, **attributes},
            "payload": self._checked_payload(kind, max_payload_bytes),
        }

    def _checked_payload(self, kind: str, max_bytes: int) -> str:
        try:
            payload = self.event.model_dump_json()
        except (PydanticSerializationError, UnicodeError) as error:
            raise EventRefusedError(f"{kind} cannot be written as JSON: {error}") from error
        size = len(payload.encode())
        if size > max_bytes:
            raise EventRefusedError(f"{kind} has {size} bytes as JSON, the limit is {max_bytes}")
        return payload

    def _checked_key(self) -> str | None:
        key = self.event.ordering_key
        if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
            raise EventRefusedError(
                f"{type(self.event).__name__}: the key {key!r} must be printable and have "
                f"1 to {_LONGEST_KEY} characters"
            )
        return key

    def _check_headers(self, kind: str, carriers: Carriers) -> None:
        reserved = {*_RESERVED, *carriers.names}
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise EventRefusedError(f"{kind}: header {name!r}: use a-z, 0-9 and hyphens")
            if name in reserved or name.startswith("ce-"):
                raise EventRefusedError(f"{kind}: header {name!r} belongs to the machinery")
            if not value.isprintable():
                raise EventRefusedError(f"{kind}: header {name!r} holds what cannot be printed")
