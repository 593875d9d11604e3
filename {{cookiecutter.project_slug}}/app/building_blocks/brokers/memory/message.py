"""What the in-memory broker passes on: one envelope for each group that listens to a topic."""

import asyncio
from typing import Any, NoReturn

from fast_depends.library.serializer import SerializerProto
from faststream import StreamMessage
from faststream._internal.basic_types import DecodedMessage
from faststream._internal.parser import CodecProto, DefaultCodec
from faststream._internal.producer import ProducerProto
from faststream._internal.types import AsyncCallable
from faststream.exceptions import FeatureNotSupportedException, SetupError
from faststream.message import decode_message
from faststream.response import PublishCommand

from app.building_blocks.brokers.adapter import BrokerUnavailableError


class Envelope:
    """One message on its way to one group."""

    def __init__(
        self, group: str, body: bytes, headers: dict[str, Any], correlation_id: str | None
    ) -> None:
        self.group, self.body = group, body
        self.headers, self.correlation_id = headers, correlation_id
        self.settled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def settle(self, *, acknowledged: bool) -> None:
        """Tell the publish that waits. The first word counts, later ones are ignored."""
        if not self.settled.done():
            self.settled.set_result(acknowledged)


class MemoryMessage(StreamMessage[Envelope]):
    """Rejecting acknowledges too: the group has seen the message and wants it no more."""

    async def ack(self) -> None:
        self.raw_message.settle(acknowledged=True)
        await super().ack()

    async def reject(self) -> None:
        self.raw_message.settle(acknowledged=True)
        await super().reject()

    async def nack(self) -> None:
        self.raw_message.settle(acknowledged=False)
        await super().nack()


async def parse(envelope: Envelope) -> MemoryMessage:
    return MemoryMessage(
        envelope,
        envelope.body,
        headers=envelope.headers,
        content_type=envelope.headers.get("content-type"),
        correlation_id=envelope.correlation_id,
    )


async def decode(message: StreamMessage[Envelope]) -> DecodedMessage:
    return decode_message(message)


class MemoryProducer(ProducerProto[PublishCommand]):
    """Puts each message into the queue of every group, then waits for all of them."""

    def __init__(self) -> None:
        self.is_open = False
        self.codec: CodecProto = DefaultCodec()
        self.serializer: SerializerProto | None = None
        self._parser: AsyncCallable = parse
        self._decoder: AsyncCallable = decode
        self._queues: dict[str, dict[str, asyncio.Queue[Envelope]]] = {}

    def join(self, topic: str, group: str) -> asyncio.Queue[Envelope]:
        """Raises SetupError when the group's name is taken on this topic."""
        groups = self._queues.setdefault(topic, {})
        if group in groups:
            raise SetupError(
                f"Two subscribers of {topic} are in the group {group}, and each message goes "
                "to one of them only. Give each its own: subscriber(topic, group=...)."
            )
        return groups.setdefault(group, asyncio.Queue())

    def leave(self, topic: str, group: str) -> None:
        """End the group; the messages that still wait in its queue are not acknowledged."""
        queue = self._queues[topic].pop(group)
        while not queue.empty():
            queue.get_nowait().settle(acknowledged=False)

    async def publish(self, cmd: PublishCommand) -> None:
        """Raises BrokerUnavailableError when closed, or when a group did not acknowledge."""
        body, content_type = await self.codec.encode(cmd.body, self.serializer)
        headers = {"content-type": content_type} if content_type else {}
        headers.update(cmd.headers)
        if not self.is_open:
            raise BrokerUnavailableError("The in-memory broker is not running: start it first.")
        envelopes = []
        for group, queue in self._queues.get(cmd.destination, {}).items():
            # Headers are copied: what one group changes, the others must not see.
            envelope = Envelope(group, body, dict(headers), cmd.correlation_id)
            queue.put_nowait(envelope)
            envelopes.append(envelope)
        await asyncio.gather(*(envelope.settled for envelope in envelopes))
        if missing := sorted(e.group for e in envelopes if not e.settled.result()):
            raise BrokerUnavailableError(
                f"{cmd.destination} was not acknowledged by {', '.join(missing)}: publish it again."
            )

    async def request(self, cmd: PublishCommand) -> NoReturn:
        raise FeatureNotSupportedException("MemoryBroker has no replies: use publish().")

    async def publish_batch(self, cmd: PublishCommand) -> NoReturn:
        raise FeatureNotSupportedException("MemoryBroker has no batches: use publish().")
