"""A lane: the rows of one key, published one after the other."""

import asyncio
from collections import deque
from collections.abc import Sequence

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.outbox.claims import ClaimedRow
from app.building_blocks.outbox.sender import Sender


class Lane:
    """Publishes its rows in order and stops at the first that does not go out.

    After `run`, also when it was cancelled: `confirmed` are with the broker, `refused` is the
    row that the broker would not take with its reason, `waiting` were not confirmed.
    """

    def __init__(self, rows: Sequence[ClaimedRow]) -> None:
        self.waiting = deque(rows)
        self.confirmed: list[ClaimedRow] = []
        self.refused: tuple[ClaimedRow, str] | None = None
        self.broker_problem: str | None = None

    def __len__(self) -> int:
        """How many rows it has, whatever became of them."""
        return len(self.confirmed) + len(self.waiting) + bool(self.refused)

    async def run(self, sender: Sender, deadline: float) -> None:
        """Publish until done or `deadline` (in the event loop's time), when the lease ends."""
        clock = asyncio.get_running_loop().time
        while self.waiting and clock() < deadline:
            row = self.waiting[0]
            try:
                await sender.send(row)
            except BrokerUnavailableError as error:
                self.broker_problem = str(error)
                return
            except Exception as error:
                # Whatever else one row meets must not stop the others.
                self.refused = (self.waiting.popleft(), f"{type(error).__name__}: {error}")
                return
            self.confirmed.append(self.waiting.popleft())


def lanes_of(rows: Sequence[ClaimedRow]) -> list[Lane]:
    """One lane for each key, and one for each row without a key."""
    lanes: dict[str, list[ClaimedRow]] = {}
    for row in rows:
        lane = f"key {row.key}" if row.key is not None else f"position {row.position}"
        lanes.setdefault(lane, []).append(row)
    return [Lane(rows) for rows in lanes.values()]
