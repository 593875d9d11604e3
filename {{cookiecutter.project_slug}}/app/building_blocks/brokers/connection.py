"""Connects to the broker in the background, so that the app starts and serves without it."""

import structlog

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerUnavailableError
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)

_PAUSES = RetryPolicy(max_retries=10**9, base_delay=0.5, max_delay=3.0)


class BrokerConnection:
    """Starts the adapter, as often as it takes. From then on the adapter reconnects by itself."""

    def __init__(self, broker: BrokerAdapter, wake_up: WakeUp) -> None:
        self._broker = broker
        self._wake_up = wake_up
        self._reason = "not connected yet"

    async def run(self) -> None:
        """Connect, then wait to be told to stop."""
        attempts = 0
        while not self._wake_up.closed:
            attempts += 1
            try:
                await self._broker.start()
            except BrokerUnavailableError as error:
                self._reason = str(error)
                pause = _PAUSES.delay_after(attempts) or 0
                log.warning("broker is away", reason=self._reason, next_try=round(pause, 1))
                await self._wake_up.sleep(pause)
            else:
                self._reason = "the connection is lost"
                await self._wake_up.until_closed()

    async def problem(self) -> str | None:
        """Why nothing can be published now, or None."""
        return None if await self._broker.is_connected() else self._reason
