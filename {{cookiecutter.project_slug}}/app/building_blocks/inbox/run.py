"""A run of a handler, and the context that it has."""

from contextlib import AbstractContextManager
from typing import NamedTuple

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.carriers import Carriers
from app.building_blocks.context import CAUSATION_ID, CORRELATION_ID, carried_by, carrying


class Run(NamedTuple):
    """One run of a handler: which message, and for the how many-th time."""

    message_id: str
    message: BrokerMessage
    number: int = 1
    is_retry: bool = False

    def context(self, consumer: str, carriers: Carriers | None) -> AbstractContextManager[None]:
        """What the message carried here, for as long as `consumer` is at it."""
        return carrying(self._headers, carriers, message_id=self.message_id, consumer=consumer)

    def carried(self, carriers: Carriers | None) -> dict[str, str]:
        """The same as a mapping."""
        return carried_by(self._headers, carriers)

    @property
    def _headers(self) -> dict[str, str]:
        itself = self.message_id
        return {CORRELATION_ID: itself, **self.message.headers, CAUSATION_ID: itself}
