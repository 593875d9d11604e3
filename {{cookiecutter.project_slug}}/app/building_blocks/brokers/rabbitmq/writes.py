"""Writes what is published on a channel at the same moment in one go, and awaits the confirms.

aio-pika writes one message after the other, which takes several times as long. This is all that
leans on the inside of aiormq.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

from aiormq.abc import AbstractChannel, ChannelFrame
from aiormq.channel import Channel

Confirmed = asyncio.Future[object]


class Writes:
    """On one channel, which nobody else publishes on. What gathers during one write is the next.

    `timeout` bounds a send, in seconds. All that gathers shares one: one for each message shows.
    """

    def __init__(self, channel: AbstractChannel, timeout: float) -> None:
        self.channel, self._timeout = cast("Channel", channel), timeout
        self._frames: list[bytes] = []
        self._confirms: list[Confirmed] = []
        self._being_written: list[Confirmed] = []
        self._writing: asyncio.Task[None] | None = None
        # It is rejected when the channel closes, at once if it has been closed already. One for
        # all: aiormq's book of futures takes as long for each as the frames of a message.
        self._closing: asyncio.Future[object] = self.channel.create_future()
        self._closing.add_done_callback(self._reject)

    def put(self, frames: bytes) -> Confirmed:
        """It has its result once the server has confirmed them.

        Or raises TimeoutError, or what ended the channel.
        """
        loop = asyncio.get_running_loop()
        confirmed: Confirmed = loop.create_future()
        if self._closing.done():
            confirmed.set_exception(_reason(self._closing))
            return confirmed
        if not self._confirms:
            loop.call_later(self._timeout, _give_up, self._confirms)
        self._frames.append(frames)
        self._confirms.append(confirmed)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return confirmed

    async def _write(self) -> None:
        while self._confirms and not self.channel.is_closed:
            frames, self._frames = self._frames, []
            confirms, self._confirms = self._confirms, []
            awaited = [pair for pair in zip(frames, confirms, strict=True) if not pair[1].done()]
            self._being_written = [confirmed for _, confirmed in awaited]
            written = self.channel.create_future()
            payload = b"".join(frames for frames, _ in awaited)
            # A server that is short of memory reads nothing, for as long as it takes.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timeout):
                    await self.channel.write_queue.put(ChannelFrame(payload, False, written))
                    self._expect(self._being_written)
                    await asyncio.wait({written})

    def _expect(self, confirms: Iterable[Confirmed]) -> None:
        """Number them as the server does, before it can answer."""
        for confirmed in confirms:
            self.channel.delivery_tag += 1
            self.channel.confirmations[self.channel.delivery_tag] = confirmed

    def _reject(self, closing: asyncio.Future[object]) -> None:
        error, expected = _reason(closing), self.channel.confirmations.values()
        for confirmed in (*expected, *self._being_written, *self._confirms):
            if not confirmed.done():
                confirmed.set_exception(error)


def _reason(closing: asyncio.Future[object]) -> BaseException:
    if closing.cancelled():
        return ConnectionError("the channel was closed")
    return closing.exception() or ConnectionError("the channel was closed")


def _give_up(confirms: Iterable[Confirmed]) -> None:
    for confirmed in confirms:
        if not confirmed.done():
            confirmed.set_exception(TimeoutError("no confirm came"))
