"""How often somebody may guess the token."""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

_MOST_ADDRESSES = 1000


class _Bucket:
    """`left` attempts at the time `at`; one more comes back every `every` seconds."""

    def __init__(self, most: int, every: float, left: float, at: float) -> None:
        self.most, self.every = most, every
        self.left, self.at = left, at

    def fill(self, now: float) -> None:
        self.left = min(self.most, self.left + (now - self.at) / self.every)
        self.at = now

    @property
    def wait(self) -> float:
        return max(0.0, (1 - self.left) * self.every)


class Logins:
    """Counts failed attempts, for each address and in total; one that succeeds is free.

    An address has `each` attempts a minute, all of them together `total`.
    """

    def __init__(
        self, each: int = 5, total: int = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._each, self._clock = each, clock
        self._all = self._full(total)
        self._by_address: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 is now."""
        return max(bucket.wait for bucket in self._buckets(address))

    def failed(self, address: str) -> None:
        """Count an attempt."""
        for bucket in self._buckets(address):
            bucket.left -= 1

    def _buckets(self, address: str) -> tuple[_Bucket, _Bucket]:
        group = _group(address)
        mine = self._by_address.setdefault(group, self._full(self._each))
        self._by_address.move_to_end(group)
        if len(self._by_address) > _MOST_ADDRESSES:
            self._by_address.popitem(last=False)
        now = self._clock()
        for bucket in (mine, self._all):
            bucket.fill(now)
        return mine, self._all

    def _full(self, most: int) -> _Bucket:
        return _Bucket(most, 60 / most, most, self._clock())


def _group(address: str) -> str:
    """Whoever has an IPv6 address has the 2^64 beside it, too."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return ip.exploded[:19]
    return str(ip)
