"""Writes what is published on a channel at the same moment in one go, and awaits the confirms.

aio-pika writes one message after the other, which takes several times as long. This is all that
leans on the inside of aiormq.
"""

import asyncio
from collections.abc import Iterable
from typing import cast

from aiormq.abc import AbstractChannel, ChannelFrame
from aiormq.channel import Channel

Confirmed = asyncio.Future[object]


class Writes:
    """On one channel, which nobody else publishes on. What gathers during one write is the next.

    `timeout` is in seconds. One for a whole write, because one for each message shows.
    """

    def __init__(self, channel: AbstractChannel, timeout: float) -> None:
        self.channel, self._timeout = cast("Channel", channel), timeout
        self._gathered: list[tuple[bytes, Confirmed]] = []
        self._writing: asyncio.Task[None] | None = None

    async def send(self, frames: bytes) -> None:
        """Return once the server has confirmed them.

        Raises TimeoutError, and what ended the channel.
        """
        # It is rejected when the channel closes, at once if it has been closed already.
        confirmed: Confirmed = self.channel.create_future()
        self._gathered.append((frames, confirmed))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await confirmed

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._gathered and not self.channel.is_closed:
            gathered, self._gathered = self._gathered, []
            for _, confirmed in gathered:
                self.channel.delivery_tag += 1
                self.channel.confirmations[self.channel.delivery_tag] = confirmed
            loop.call_later(self._timeout, _give_up, [confirmed for _, confirmed in gathered])
            written = self.channel.create_future()
            payload = b"".join(frames for frames, _ in gathered)
            await self.channel.write_queue.put(ChannelFrame(payload, False, written))
            # What is written meanwhile waits here, and does not fill the memory.
            await asyncio.wait({written})


def _give_up(confirms: Iterable[Confirmed]) -> None:
    for confirmed in confirms:
        if not confirmed.done():
            confirmed.set_exception(TimeoutError("no confirm came"))
