"""A lane: the rows of one key, published one after the other."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.together import Outcomes
from app.building_blocks.outbox.claims import ClaimedRow
from app.building_blocks.outbox.sender import Sender


class Lane:
    """Publishes its rows in order and stops at the first that does not go out.

    When it has `ended`, also because that was cancelled: `confirmed` are with the broker,
    `refused` is the row that the broker would not take with its reason, `waiting` were not
    confirmed.
    """

    def __init__(self, rows: Sequence[ClaimedRow]) -> None:
        self.waiting = deque(rows)
        self.confirmed: list[ClaimedRow] = []
        self.refused: tuple[ClaimedRow, str] | None = None
        self.broker_problem: str | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __len__(self) -> int:
        """How many rows it has, whatever became of them."""
        return len(self.confirmed) + len(self.waiting) + bool(self.refused)

    @property
    def goes_on(self) -> bool:
        return bool(self.waiting) and self.refused is None and self.broker_problem is None

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
        """Nothing more of it is published."""
        if not self.ended.done():
            self.ended.set_result(None)


async def publish_lanes(lanes: Sequence[Lane], sender: Sender, deadline: float) -> None:
    """Publish the first row of each, then the next of each, until all are done.

    Starts no send after `deadline` (in the event loop's time), when the lease ends.
    """
    clock = asyncio.get_running_loop().time
    going = list(lanes)
    try:
        while going and clock() < deadline:
            errors: Outcomes
            try:
                errors = await sender.send([lane.waiting[0] for lane in going])
            except Exception as error:
                if len(going) > 1:
                    # Whichever it is in, it must not be the end of the others.
                    alone = (publish_lanes([lane], sender, deadline) for lane in going)
                    await asyncio.gather(*alone)
                    return
                errors = [error]
            for lane, outcome in zip(going, errors, strict=True):
                lane.note(outcome)
            going = [lane for lane in going if lane.goes_on]
    finally:
        for lane in going:
            lane.end()


def lanes_of(rows: Sequence[ClaimedRow], at_once: int) -> Iterator[list[Lane]]:
    """One lane for each key, and one for each row without a key; up to `at_once` together."""
    lanes: dict[str, list[ClaimedRow]] = {}
    for row in rows:
        lane = f"key {row.key}" if row.key is not None else f"position {row.position}"
        lanes.setdefault(lane, []).append(row)
    each = map(Lane, lanes.values())
    while together := list(islice(each, at_once)):
        yield together
