"""How one replica reads a stream on behalf of a consumer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from redis.exceptions import RedisError

from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.redis.group import Member
from app.building_blocks.brokers.redis.lease import Lease
from app.building_blocks.brokers.redis.wire import Entry, Fields

log = logging.getLogger("app.broker")

PREFETCH = 20
PAUSE = 0.005
GRACEFUL_TIMEOUT, CANCELLATION_TIMEOUT = 15.0, 1.0

Handle = Callable[[bytes, Fields], Awaitable[bool]]
"""Handles one entry by its id. True acknowledges it, False asks for it once more."""


class Reader:
    """Begins with entries in the order of the stream, at most `at_once` at a time.

    It touches what it has in hand; what nobody has touched for `claim_after` seconds is claimed
    by another replica. `block` is how long a read waits for an entry, in seconds.
    """

    def __init__(
        self,
        member: Member,
        handle: Handle,
        deliveries: Deliveries,
        *,
        ordered: bool,
        at_once: int,
        claim_after: float,
        block: float,
    ) -> None:
        self.is_reading = False
        self._member, self._handle, self._deliveries = member, handle, deliveries
        self._block, self._beat = block, claim_after / 10
        self._at_once = at_once
        self._min_idle, self._most_claims = round(claim_after * 1000), at_once
        self._lease = Lease(member, claim_after / 3) if ordered else None
        if ordered:
            # The holder takes all that is pending, at once: what is taken in part could overtake.
            self._min_idle, self._most_claims = 0, 10_000
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[bytes, asyncio.Task[None]] = {}
        self._is_behind, self._look_at = True, 0.0

    async def open(self) -> None:
        """Join the group and begin to read. Raises what redis-py raises."""
        await self._member.join()
        await self._member.forget_the_dead()
        self.is_reading = True
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep())]

    async def close(self, goodbye: float) -> None:
        """Let running entries finish, then leave the rest to others, in `goodbye` seconds."""
        if not self._tasks:
            return
        reading, keeping = self._tasks
        self._tasks = []
        await _end(reading)
        if running := set(self._running.values()):
            _, late = await asyncio.wait(running, timeout=GRACEFUL_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.wait(running, timeout=CANCELLATION_TIMEOUT)
        await _end(keeping)
        with suppress(RedisError, OSError):
            async with asyncio.timeout(goodbye):
                await self._member.leave()
                if self._lease:
                    await self._lease.release()

    async def _read(self) -> None:
        while True:
            try:
                await self._read_on()
                self.is_reading = True
            except Exception as error:
                if self.is_reading:
                    log.warning("%s cannot read for now: %s", self._member.group, error)
                # Some of what Redis has handed out may not have arrived here.
                self.is_reading, self._is_behind = False, True
                await asyncio.sleep(self._block)

    async def _read_on(self) -> None:
        room = self._at_once - len(self._running)
        if self._lease and not self._lease.held:
            self._is_behind = True
            if not await self._lease.take():
                await asyncio.sleep(self._block)
        elif room <= 0:
            running = set(self._running.values())
            await asyncio.wait(running, timeout=self._block, return_when=asyncio.FIRST_COMPLETED)
        elif self._is_behind or time.monotonic() >= self._look_at:
            if self._lease:
                # It may have stood still for longer than its lease, and not know yet.
                await self._lease.renew()
            if not self._lease or self._lease.held:
                await self._catch_up(room)
        elif self._lease:
            self._begin(await self._lease.read(room, self._block))
        else:
            self._begin(await self._member.read(">", room, self._block))
            if self._at_once > PREFETCH:
                # A batch ends all at once: a moment later there is more room to read for.
                await asyncio.sleep(PAUSE)

    async def _catch_up(self, room: int) -> None:
        """Claim what others have left, begin with what is pending under the own name."""
        if self._is_behind:
            await self._member.join()
        # Taken first: what is acknowledged meanwhile is no longer running in the end.
        known = set(self._running)
        left = await self._member.left(self._min_idle, self._most_claims) - known
        if left:
            await self._member.claim(left, min_idle=self._min_idle)
        self._look_at = time.monotonic() + self._beat
        if self._is_behind or left:
            pending = await self._member.read("0", 2 * self._at_once, self._block)
            fresh = [entry for entry in pending if entry[0] not in known]
            self._begin(fresh[:room])
            self._is_behind = len(fresh) > room

    def _begin(self, entries: list[Entry]) -> None:
        for entry_id, fields in entries:
            self._running[entry_id] = asyncio.create_task(self._run(entry_id, fields))

    async def _run(self, entry_id: bytes, fields: Fields) -> None:
        try:
            if not fields:
                log.warning("%s lost an entry that was trimmed", self._member.group)
            while fields and not await self._handle(entry_id, fields):
                if self._deliveries.stopping:
                    return
            # Not acknowledged it comes again, and the inbox knows it.
            with suppress(RedisError, OSError):
                await self._member.acknowledge(entry_id)
        finally:
            del self._running[entry_id]

    async def _keep(self) -> None:
        """Touch what is running, so that nobody claims it, however long it takes."""
        while True:
            await asyncio.sleep(self._beat)
            with suppress(RedisError, OSError):
                if self._lease:
                    await self._lease.renew()
                if self._running and (self._lease is None or self._lease.held):
                    await self._member.claim(self._running)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel it, as often as it takes: redis-py swallows some cancellations on Python 3.11."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
