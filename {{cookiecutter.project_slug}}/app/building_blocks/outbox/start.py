"""From which position on a claim looks for rows.

What was published is still in the way for a while: a database that keeps it for an old snapshot
walks past all of it at each claim, so that a large backlog would drain ever more slowly.
"""

import time
from collections.abc import Collection

_LOOK_AGAIN_SECONDS = 1.0
_SHARE_OF_TIME = 0.1
_LONGEST_SECONDS = 10.0


class Start:
    """While there is a backlog, it is where the last claim found its first row.

    It is 0 when there is none, and once in a second, or in ten times as long as it takes to look
    at all, 10 s at most: rows below may have been given back, come due, or been committed late.
    """

    def __init__(self) -> None:
        self._position = 0
        self._began = self._look_again_at = 0.0

    def look(self) -> int:
        """The position to look from, now."""
        self._began = time.monotonic()
        if self._began >= self._look_again_at:
            self._position = 0
        return self._position

    def found(self, positions: Collection[int], limit: int) -> None:
        """What came of it, out of `limit`."""
        now = time.monotonic()
        if self._position == 0:
            pause = max(_LOOK_AGAIN_SECONDS, (now - self._began) / _SHARE_OF_TIME)
            self._look_again_at = now + min(pause, _LONGEST_SECONDS)
        self._position = min(positions) if len(positions) == limit else 0
