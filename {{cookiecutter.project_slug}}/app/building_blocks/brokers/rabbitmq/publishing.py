"""Publishes to the exchange; the server confirms each message."""

import asyncio
from collections.abc import Sequence

from aio_pika import exceptions
from aio_pika.abc import AbstractChannel
from aiormq.abc import AbstractChannel as UnderlayChannel

from app.building_blocks.brokers.adapter import BrokerUnavailableError, MessageRefusedError
from app.building_blocks.brokers.rabbitmq.connection import Connection
from app.building_blocks.brokers.rabbitmq.errors import (
    REFUSALS,
    told_as_unavailable,
)
from app.building_blocks.brokers.rabbitmq.frames import OutgoingMessage
from app.building_blocks.brokers.rabbitmq.writes import Confirmed, Writes
from app.building_blocks.brokers.together import Outcomes, settled

# The server refuses by closing the channel under all that is in flight there. What size alone
# could get refused therefore travels on a channel of its own.
MAX_SHARED_BODY_BYTES = 1024 * 1024
TO_BE_SENT_ALONE = exceptions.ChannelInvalidStateError("It is too large to be sent with others")
NOT_TOGETHER = (*REFUSALS, exceptions.ChannelInvalidStateError)


class Publishing:
    """Over `connection` and its channel `shared`. `timeout` bounds a send, in seconds."""

    def __init__(self, connection: Connection, shared: AbstractChannel, timeout: float) -> None:
        self.connection, self.shared = connection, shared
        self._timeout = timeout
        self._writes: Writes | None = None
        self._alone = asyncio.Lock()

    async def send_all(self, messages: Sequence[OutgoingMessage]) -> Outcomes:
        """BrokerUnavailableError or MessageRefusedError for each, or None."""
        until = asyncio.get_running_loop().time() + self._timeout
        together = [message for message in messages if _may_share(message)]
        of_those = iter(await self._send_together(together))
        outcomes = []
        for message in messages:
            outcome = next(of_those) if _may_share(message) else TO_BE_SENT_ALONE
            if isinstance(outcome, NOT_TOGETHER):
                outcome = await self._send_alone(message, until)
            outcomes.append(outcome)
        return outcomes

    async def _send_together(self, messages: Sequence[OutgoingMessage]) -> Outcomes:
        try:
            writes = await self._shared_writes()
        except (BrokerUnavailableError, exceptions.ChannelInvalidStateError) as error:
            return [error] * len(messages)
        confirms = [_put(message, writes) for message in messages]
        await settled(confirms)
        return [_told(confirmed) for confirmed in confirms]

    async def _shared_writes(self) -> Writes:
        if not self.connection.is_open:
            raise BrokerUnavailableError("RabbitMQ is not connected: try again later")
        channel = await self._open_channel()
        if channel.is_closed:
            raise exceptions.ChannelInvalidStateError("It is being opened again")
        if self._writes is None or self._writes.channel is not channel:
            self._writes = Writes(channel, self._timeout)
        return self._writes

    async def _open_channel(self) -> UnderlayChannel:
        with told_as_unavailable():
            try:
                return await self.shared.get_underlay_channel()
            except NOT_TOGETHER as error:
                closed = error
        raise exceptions.ChannelInvalidStateError("It is being opened again") from closed

    async def _send_alone(self, message: OutgoingMessage, until: float) -> Exception | None:
        """Give up at `until`, by the event loop's time: the lease of its row is not longer."""
        try:
            with told_as_unavailable():
                async with asyncio.timeout_at(until), self._alone:
                    await self._send_over_its_own_channel(message)
        except (BrokerUnavailableError, MessageRefusedError) as error:
            return error
        return None

    async def _send_over_its_own_channel(self, message: OutgoingMessage) -> None:
        async with self.connection.channel() as channel:
            writes = Writes(await channel.get_underlay_channel(), self._timeout)
            try:
                await writes.put(message.frames(writes.channel))
            except REFUSALS as error:
                raise MessageRefusedError(f"RabbitMQ refuses this message: {error}") from error


def _may_share(message: OutgoingMessage) -> bool:
    return len(message.body) <= MAX_SHARED_BODY_BYTES


def _put(message: OutgoingMessage, writes: Writes) -> Confirmed:
    try:
        return writes.put(message.frames(writes.channel))
    except MessageRefusedError as error:
        refused: Confirmed = asyncio.get_running_loop().create_future()
        refused.set_exception(error)
        return refused


def _told(confirmed: Confirmed) -> Exception | None:
    try:
        with told_as_unavailable():
            try:
                confirmed.result()
            except NOT_TOGETHER as error:
                return error
    except Exception as error:
        return error
    return None
