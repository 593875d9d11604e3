"""The lanes that are under way, by their key, until it is written down what became of them."""

import asyncio
import math
from collections.abc import Collection, Sequence

from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.lane import Lane


class UnderWay:
    """Tells whether a row may follow others of its key that have not been marked yet."""

    def __init__(self) -> None:
        self._by_key: dict[str, list[Lane]] = {}
        self._given_back_at = -math.inf

    def add(self, lane: Lane) -> None:
        """It is the last of its key from now on."""
        if lane.key is not None:
            self._by_key.setdefault(lane.key, []).append(lane)

    def remove(self, lanes: Sequence[Lane]) -> None:
        """It is written down what became of them."""
        for lane in lanes:
            if lane.key is not None and (of_key := self._by_key.get(lane.key)):
                of_key.remove(lane)
                if not of_key:
                    del self._by_key[lane.key]
        if not all(lane.is_confirmed for lane in lanes):
            self._given_back_at = asyncio.get_running_loop().time()

    def clear(self) -> None:
        """Nobody knows what became of the rest."""
        self._by_key.clear()
        self._given_back_at = asyncio.get_running_loop().time()

    def last_of(self, key: str | None) -> Lane | None:
        """The last lane of `key` that is under way."""
        return None if key is None else self._by_key.get(key, [None])[-1]

    def known(self, keys: Collection[str]) -> list[str]:
        """The ids of all rows of `keys` that a new row may follow."""
        return [
            row.message_id
            for key in keys
            for lane in self._by_key.get(key, ())
            for row in (*lane.confirmed, *lane.waiting)
        ]

    def may_follow(self, rows: Sequence[ClaimedRow]) -> bool:
        """Whether what `rows` of one transaction follow goes out before them.

        When something was given back since they were claimed, it may have been one of those, and
        somebody else may have it by now.
        """
        if rows[0].claimed_at <= self._given_back_at:
            return False
        pairs = [(lane, row) for row in rows if (lane := self.last_of(row.key))]
        return all(lane.is_confirmed or lane.takes(row) for lane, row in pairs)
