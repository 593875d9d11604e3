"""What the publisher knows of an outage of the broker, and how long it waits."""

import asyncio
from collections.abc import Iterable

from app.building_blocks.brokers.adapter import BrokerAdapter
from app.building_blocks.outbox.lane import Lane
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp

_PAUSES = RetryPolicy(max_retries=10**9, base_delay=0.2, max_delay=10.0)
_LOOK_AGAIN = 0.5


class Outage:
    """Counts tries that failed in a row. Pauses grow with them, with jitter, up to ten seconds."""

    def __init__(self) -> None:
        self.failures = 0
        self._is_counted = False
        self.reason: str | None = None

    @property
    def pause(self) -> float:
        """Seconds to wait before the next try."""
        return _PAUSES.delay_after(self.failures) or 0.0

    async def wait(self, seconds: float, broker: BrokerAdapter, wake_up: WakeUp) -> None:
        """Return after `seconds`, when the service stops, or when the connection is back.

        A broker that was connected all the time and takes no message gets the whole pause.
        """
        self._is_counted = False
        clock = asyncio.get_running_loop().time
        end, was_away = clock() + seconds, False
        while not wake_up.closed and (left := end - clock()) > 0:
            await wake_up.rest(min(left, _LOOK_AGAIN))
            is_away = not await broker.is_connected()
            if was_away and not is_away:
                return
            was_away = is_away

    def note(self, reason: str) -> None:
        """It failed, in as many ways as it may: until the next `wait` that is one try."""
        self.failures += not self._is_counted
        self._is_counted = True
        self.reason = reason

    def note_lanes(self, lanes: Iterable[Lane]) -> None:
        """Count it if one of `lanes` failed."""
        problem = next((lane.broker_problem for lane in lanes if lane.broker_problem), None)
        if problem is not None:
            self.note(f"the broker does not take messages: {problem}")

    def over(self) -> None:
        """The broker takes messages again."""
        self.failures, self._is_counted = 0, False
        self.reason = None
