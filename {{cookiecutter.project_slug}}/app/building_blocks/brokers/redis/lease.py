"""A consumer whose order counts is read by one replica at a time: the holder of its lease."""

from typing import Any

from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from app.building_blocks.brokers.redis.group import Member
from app.building_blocks.brokers.redis.wire import Entry, Fields

# Checked and read in one step: a holder that stood still for longer than its lease must not
# begin with a new entry while its successor is still at an older one.
_READ_AS_HOLDER = """
local stream, holder, group, count = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if redis.call('GET', KEYS[2]) ~= holder then return 0 end
return redis.call('XREADGROUP', 'GROUP', group, holder, 'COUNT', count, 'STREAMS', stream, '>')
"""


class Lease:
    """Held for `seconds` after each renewal, by one member of the group at a time."""

    def __init__(self, member: Member, seconds: float) -> None:
        self.held = False
        self._member, self._client = member, member.client
        self._key = f"{member.topic}:{member.group}:reader"
        self._lock = Lock(self._client, self._key, timeout=seconds, thread_local=False)
        self._read = self._client.register_script(_READ_AS_HOLDER)
        self._last_id: bytes | str = "$"

    async def take(self) -> bool:
        """Whether the lease was free and is held now."""
        self.held = await self._lock.acquire(blocking=False, token=self._member.name)
        # Others may have read on meanwhile: what they have must not end the waiting for new ones.
        self._last_id = "$"
        return self.held

    async def renew(self) -> None:
        try:
            if self.held:
                await self._lock.reacquire()
        except LockError:
            self.held = False

    async def release(self) -> None:
        """Raises LockError when somebody else holds it already."""
        if self.held:
            self.held = False
            await self._lock.release()

    async def read(self, count: int, block: float) -> list[Entry]:
        """The next entries; none when there is no new one for `block` seconds.

        `held` becomes False, and nothing is read, when the lease has gone to somebody else.
        """
        answer = await self._read(
            keys=[self._member.topic, self._key],
            args=[self._member.name, self._member.group, count],
        )
        if answer == 0:
            self.held = False
        elif answer:
            entries = [(id_, _fields(pairs)) for id_, pairs in answer[0][1]]
            self._last_id = entries[-1][0]
            return entries
        else:
            # A script cannot wait for an entry, so this does.
            waiting = round(block * 1000)
            found: Any = await self._client.xread(
                {self._member.topic: self._last_id}, count=1, block=waiting
            )
            if found:
                self._last_id = found[0][1][-1][0]
        return []


def _fields(pairs: list[bytes]) -> Fields:
    return dict(zip(pairs[::2], pairs[1::2], strict=True))
