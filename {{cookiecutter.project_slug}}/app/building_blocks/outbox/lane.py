"""A lane: the rows of one key, published one after the other."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.together import Outcomes
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.sender import Sender

_TAKES_FOR = 1.0


class Lane:
    """Publishes its rows in order and stops at the first that does not go out.

    At its end it calls `ended`: `confirmed` are with the broker, `refused` is the row that the
    broker would not take with its reason, `waiting` were not confirmed.
    """

    def __init__(self, rows: Sequence[ClaimedRow], ended: Callable[["Lane"], None]) -> None:
        self.key, self._began = rows[0].key, rows[0].claimed_at
        self.waiting = deque(rows)
        self.confirmed: list[ClaimedRow] = []
        self.refused: tuple[ClaimedRow, str] | None = None
        self.broker_problem: str | None = None
        self._ended: Callable[[Lane], None] | None = ended

    def __len__(self) -> int:
        """How many rows it has, whatever became of them."""
        return len(self.confirmed) + len(self.waiting) + bool(self.refused)

    @property
    def has_ended(self) -> bool:
        return self._ended is None

    @property
    def is_confirmed(self) -> bool:
        """Whether all its rows are with the broker."""
        return not self.waiting and self.refused is None

    def takes(self, row: ClaimedRow) -> bool:
        """Whether it publishes one more after the others.

        Its rows are marked when it ends, and on a busy key it would not end before their lease.
        """
        return not self.has_ended and row.claimed_at < self._began + _TAKES_FOR

    def add(self, row: ClaimedRow) -> None:
        """Publish `row`, which it `takes`, after the others."""
        self.waiting.append(row)

    @property
    def goes_on(self) -> bool:
        return bool(self.waiting) and self.refused is None and self.broker_problem is None

    def may_send(self, now: float) -> bool:
        """Whether a send of its next row ends within the lease when it begins `now`."""
        return self.goes_on and now < self.waiting[0].send_before

    def note(self, error: Exception | None) -> None:
        """What became of its first row that waits."""
        if error is None:
            self.confirmed.append(self.waiting.popleft())
        elif isinstance(error, BrokerUnavailableError):
            self.broker_problem = str(error)
        else:
            # Whatever else one row meets must not stop the others.
            self.refused = (self.waiting.popleft(), f"{type(error).__name__}: {error}")
        if not self.goes_on:
            self.end()

    def end(self) -> None:
        """Nothing more of it is published. It has no effect after the end."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)


async def publish_lanes(lanes: Sequence[Lane], sender: Sender) -> None:
    """Publish the first row of each, then the next of each, while they may."""
    clock = asyncio.get_running_loop().time
    going = list(lanes)
    while going := [lane for lane in going if lane.may_send(clock())]:
        errors: Outcomes
        try:
            errors = await sender.send([lane.waiting[0] for lane in going])
        except Exception as error:
            if len(going) > 1:
                # Whichever it is in, it must not be the end of the others.
                await asyncio.gather(*(publish_lanes([lane], sender) for lane in going))
                return
            errors = [error]
        for lane, outcome in zip(going, errors, strict=True):
            lane.note(outcome)


def lanes_of(
    rows: Sequence[ClaimedRow], at_once: int, ended: Callable[[Lane], None]
) -> Iterator[list[Lane]]:
    """One lane for each key, and one for each row without a key; up to `at_once` together."""
    lanes: dict[str, list[ClaimedRow]] = {}
    for row in rows:
        lane = f"key {row.key}" if row.key is not None else f"row {row.message_id}"
        lanes.setdefault(lane, []).append(row)
    each = (Lane(those, ended) for those in lanes.values())
    while together := list(islice(each, at_once)):
        yield together
