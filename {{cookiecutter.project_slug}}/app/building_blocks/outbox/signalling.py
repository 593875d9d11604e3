"""Carries wake-ups from processes that commit to processes that publish."""

from functools import partial

from app.building_blocks.background import BackgroundTask
from app.building_blocks.databases.dialect import Signals
from app.building_blocks.wake_up import WakeUp

_LONGEST_SLEEP_SECONDS = 60.0


def listening(signals: Signals, publishing: WakeUp) -> BackgroundTask:
    """Wakes this process's publisher when another process commits."""
    closing = WakeUp()
    listen = partial(signals.listen, publishing.set, closing)
    return BackgroundTask("wake-up listener", listen, closing)


def signalling(signals: Signals, committed: WakeUp) -> BackgroundTask:
    """Signals after this process's commits, off the request path; many commits, one signal."""

    async def signal() -> None:
        while not committed.closed:
            await committed.sleep(_LONGEST_SLEEP_SECONDS)
            await signals.send()

    return BackgroundTask("wake-up signaller", signal, committed)
