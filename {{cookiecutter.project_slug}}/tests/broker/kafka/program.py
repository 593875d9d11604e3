"""Another program on the same cluster."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from tests.broker.bench import DEADLINE


class Program:
    """Speaks to it with librdkafka."""

    def __init__(self, url: str) -> None:
        self._settings = {"bootstrap.servers": urlsplit(url).netloc}

    async def send(self, topic: str, value: bytes | None, **record: Any) -> None:
        producer = Producer(self._settings)
        producer.produce(topic, value, **record)
        assert await asyncio.to_thread(producer.flush, DEADLINE) == 0

    async def read_one(self, topic: str) -> Message:
        """The only record of a topic."""
        consumer = Consumer({**self._settings, "group.id": "unused"})
        partitions = consumer.list_topics(topic, DEADLINE).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        message = await asyncio.to_thread(consumer.poll, DEADLINE)
        consumer.close()
        assert message is not None
        assert message.error() is None
        return message
