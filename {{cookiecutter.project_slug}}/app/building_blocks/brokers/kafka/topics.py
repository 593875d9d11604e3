"""Makes topics, where the servers let a service do so."""

from collections.abc import Iterable
from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]

from app.building_blocks.brokers.kafka.connection import KafkaAddress


async def create_topics(topics: Iterable[str], address: KafkaAddress, seconds: float) -> None:
    """Ask for topics with the server's defaults. It may have them already, or say no.

    `seconds` bounds each request. Raises what aiokafka raises when no server can be reached.
    """
    admin = AIOKafkaAdminClient(**address.settings(seconds))
    try:
        await admin.start()
        # The library takes -1 for the server's default only next to an assignment.
        with suppress(Exception):
            await admin.create_topics([NewTopic(topic, -1, -1, {}) for topic in topics])
    finally:
        await admin.close()
