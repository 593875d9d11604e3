"""A run of a handler, and the context that it has."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.carriers import Carriers
from app.building_blocks.context import CAUSATION_ID, CORRELATION_ID, carrying


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a handler: which message, and for the how many-th time."""

    message_id: str
    message: BrokerMessage
    number: int = 1
    is_retry: bool = False

    def context(self, consumer: str, carriers: Carriers | None) -> AbstractContextManager[None]:
        """What the message carried here, for as long as `consumer` is at it."""
        return carrying(
            {
                CORRELATION_ID: self.message_id,
                **self.message.headers,
                CAUSATION_ID: self.message_id,
            },
            carriers,
            message_id=self.message_id,
            consumer=consumer,
        )
