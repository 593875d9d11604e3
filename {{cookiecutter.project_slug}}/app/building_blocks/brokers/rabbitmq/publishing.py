"""Publishes to the exchange; the server confirms each message."""

import asyncio
from contextlib import suppress

from aio_pika import exceptions
from aio_pika.abc import AbstractChannel

from app.building_blocks.brokers.adapter import BrokerUnavailableError, MessageRefusedError
from app.building_blocks.brokers.rabbitmq.connection import Connection
from app.building_blocks.brokers.rabbitmq.errors import (
    REFUSALS,
    reaching_rabbitmq,
    told_as_unavailable,
)
from app.building_blocks.brokers.rabbitmq.frames import OutgoingMessage
from app.building_blocks.brokers.rabbitmq.writes import Writes

# The server refuses by closing the channel under all that is in flight there. What size alone
# could get refused therefore travels on a channel of its own.
MAX_SHARED_BODY_BYTES = 1024 * 1024


class Publishing:
    """Over `connection` and its channel `shared`. `timeout` bounds a send, in seconds."""

    def __init__(self, connection: Connection, shared: AbstractChannel, timeout: float) -> None:
        self.connection, self.shared = connection, shared
        self._timeout = timeout
        self._writes: Writes | None = None
        self._alone = asyncio.Lock()

    async def send(self, message: OutgoingMessage) -> None:
        """Raises MessageRefusedError and BrokerUnavailableError."""
        if len(message.body) <= MAX_SHARED_BODY_BYTES:
            with told_as_unavailable(), suppress(*REFUSALS, exceptions.ChannelInvalidStateError):
                await self._send_with_others(message)
                return
        async with self._alone, reaching_rabbitmq(self._timeout):
            await self._send_alone(message)

    async def _send_with_others(self, message: OutgoingMessage) -> None:
        if not self.connection.is_open:
            raise BrokerUnavailableError("RabbitMQ is not connected: try again later")
        channel = await self.shared.get_underlay_channel()
        if channel.is_closed:
            raise exceptions.ChannelInvalidStateError("It is being opened again")
        if self._writes is None or self._writes.channel is not channel:
            self._writes = Writes(channel, self._timeout)
        await self._writes.send(message.frames(self._writes.channel))

    async def _send_alone(self, message: OutgoingMessage) -> None:
        async with self.connection.channel() as channel:
            writes = Writes(await channel.get_underlay_channel(), self._timeout)
            try:
                await writes.send(message.frames(writes.channel))
            except REFUSALS as error:
                raise MessageRefusedError(f"RabbitMQ refuses this message: {error}") from error
