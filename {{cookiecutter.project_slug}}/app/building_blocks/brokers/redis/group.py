"""A consumer group, as one of its members talks to it."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from app.building_blocks.brokers.redis.wire import Entry

DAY_MS = 24 * 3600 * 1000
# XGROUP DELCONSUMER takes what is pending with it, and that would be lost.
_FORGET_IF_IDLE = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
"""


class Member:
    """What it has read is pending under its name until it is acknowledged or claimed.

    Methods raise what redis-py raises.
    """

    def __init__(self, client: Redis, topic: str, group: str) -> None:
        self.client, self.topic, self.group = client, topic, group
        self.name = f"{socket.gethostname()}-{uuid4().hex[:12]}"
        self._handled: list[bytes] = []
        self._acknowledging = asyncio.Lock()

    async def join(self) -> None:
        """Create the group, from the first entry on. It is lost with the data of the server."""
        try:
            await self.client.xgroup_create(self.topic, self.group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def forget_the_dead(self) -> None:
        """Delete members that hold nothing and were not heard of for a day."""
        for other in await self.client.xinfo_consumers(self.topic, self.group):
            if not other["pending"] and other["idle"] > DAY_MS:
                await self._forget(other["name"])

    async def leave(self) -> None:
        """Hand what is pending to whoever looks for it next."""
        pending = await self.client.xpending_range(
            self.topic, self.group, "-", "+", 1000, self.name
        )
        if ids := [entry["message_id"] for entry in pending]:
            await self.claim(ids, idle=DAY_MS)
        else:
            await self._forget(self.name)

    async def read(self, after: str, count: int, block: float) -> list[Entry]:
        """New entries after ">"; after "0" those that are pending under this name.

        Waits for a new one for up to `block` seconds.
        """
        answer: Any = await self.client.xreadgroup(
            self.group, self.name, {self.topic: after}, count=count, block=round(block * 1000)
        )
        return list(answer[0][1]) if answer else []

    async def left(self, min_idle: int, count: int) -> set[bytes]:
        """Ids that are pending with anybody, untouched for `min_idle` ms."""
        pending: Any = await self.client.xpending_range(
            self.topic, self.group, "-", "+", count, idle=min_idle
        )
        return {entry["message_id"] for entry in pending}

    async def claim(self, ids: Iterable[Any], *, min_idle: int = 0, idle: int = 0) -> None:
        """Take over the `ids` untouched for `min_idle` ms, and call them so for `idle` ms."""
        await self.client.xclaim(
            self.topic, self.group, self.name, min_idle, list(ids), idle=idle, justid=True
        )

    async def acknowledge(self, entry_id: bytes) -> None:
        """All that have finished during one round trip share the next."""
        self._handled.append(entry_id)
        async with self._acknowledging:
            handled, self._handled = self._handled, []
            if handled:
                await self.client.xack(self.topic, self.group, *handled)

    async def _forget(self, name: str | bytes) -> None:
        await self.client.eval(_FORGET_IF_IDLE, 1, self.topic, self.group, name)
