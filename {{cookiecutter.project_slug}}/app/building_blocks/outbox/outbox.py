"""The write side of the outbox: integration events become rows of the open transaction.

The pattern is the transactional outbox (Richardson, Microservices Patterns).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils.compat import uuid7

from app.building_blocks.context import CORRELATION_ID, current_context
from app.building_blocks.databases.dialect import Dialect
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.outbox.table import outbox
from app.building_blocks.wake_up import WakeUp


class Outbox:
    """Writes integration events beside the business rows, and wakes the publisher after."""

    def __init__(self, dialect: Dialect, service: str, wake_up: WakeUp) -> None:
        self._insert = insert(outbox).values(created_at=dialect.now())
        self._service = service
        self._wake_up = wake_up

    async def write(self, connection: AsyncConnection, events: Sequence[IntegrationEvent]) -> None:
        """Insert one row for each event. Positions follow the order of `events`."""
        if events:
            # Rows as parameters: the statement is compiled once, however many there are.
            rows = [self._row(event) for event in events]
            await connection.execute(self._insert, rows)

    def committed(self) -> None:
        """Tell the publisher of this process that rows wait."""
        self._wake_up.set()

    def _row(self, event: IntegrationEvent) -> dict[str, Any]:
        message_id = str(uuid7())
        context = current_context()
        attributes = {
            "ce-specversion": "1.0",
            "ce-id": message_id,
            "ce-type": event.topic,
            "ce-source": f"/{self._service}",
            "ce-time": datetime.now(UTC).isoformat(),
            "content-type": "application/json",
        }
        if event.ordering_key is not None:
            attributes["ce-subject"] = event.ordering_key
        return {
            "message_id": message_id,
            "topic": event.topic,
            "key": event.ordering_key,
            "headers": {CORRELATION_ID: message_id, **context, **attributes},
            "payload": event.model_dump_json(),
        }
