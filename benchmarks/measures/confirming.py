"""A broker that confirms at once and keeps nothing: what is left is the outbox alone."""

from collections.abc import Sequence

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.memory.adapter import MemoryAdapter
from app.building_blocks.brokers.together import Outcomes


class ConfirmingAdapter(MemoryAdapter):
    """Takes as many at a time as the adapters of servers do."""

    publish_at_once = 100

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        return [None] * len(messages)
