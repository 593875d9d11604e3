"""What a stream keeps: trimmed by age or by length at each XADD."""

import math
import time
from dataclasses import dataclass

KEEP_HOURS = 168.0


@dataclass(slots=True)
class Retention:
    """The entries of the last `hours`, or the last `entries` of them."""

    hours: float | None
    entries: int | None
    _server_clock: float = 0.0

    def set_clock(self, server_seconds: float) -> None:
        """Go by the server's clock, which makes the ids: another could trim too much."""
        self._server_clock = server_seconds - time.monotonic()

    def oldest(self) -> int | None:
        """The id to trim before, in milliseconds; None when the length decides."""
        if self.hours is None:
            return None
        now = self._server_clock + time.monotonic()
        return max(0, round((now - self.hours * 3600) * 1000))

    def words(self) -> tuple[bytes, bytes, bytes]:
        """How XADD is told; roughly, because exactly takes Redis longer."""
        if self.entries is not None:
            return b"MAXLEN", b"~", b"%d" % self.entries
        return b"MINID", b"~", b"%d" % (self.oldest() or 0)


def read_retention(hours: str | None, entries: str | None) -> Retention:
    """Read `keep_hours` and `keep_entries` of the URL. Raises ValueError, a sentence."""
    if hours is not None and entries is not None:
        raise ValueError("a stream is kept by keep_hours or by keep_entries, not by both")
    if entries is not None:
        if not entries.isdecimal() or int(entries) == 0:
            raise ValueError(f"keep_entries is a number of entries above 0, not {entries!r}")
        return Retention(None, int(entries))
    try:
        kept = KEEP_HOURS if hours is None else float(hours)
    except ValueError:
        kept = math.nan
    if not 0 < kept < math.inf:
        raise ValueError(f"keep_hours is a number of hours above 0, not {hours!r}")
    return Retention(kept, None)
