"""Makes faults happen, one after the other."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from tests.faults.console import Console
from tests.faults.replica import Replica
from tests.faults.schedule import Fault, Kind
from tests.proxy import Proxy


class Injector:
    """Carries out faults on `replicas` and `proxies`, and tells of each when it happens."""

    def __init__(
        self, replicas: Mapping[str, Replica], proxies: Mapping[str, Proxy], console: Console
    ) -> None:
        self.made: Counter[str] = Counter()
        self._replicas = replicas
        self._proxies = proxies
        self._console = console
        self._stops: set[asyncio.Task[None]] = set()

    @property
    def kills(self) -> int:
        return self.made[Kind.KILL]

    async def make(self, fault: Fault) -> None:
        """Wait for its time, then make it. A process has to serve, and to work, before it."""
        replica = self._replicas.get(fault.target)
        if replica is not None:
            await replica.until_serving()
        await asyncio.sleep(fault.pause)
        if replica is not None:
            self._console.tell(str(fault))
            self._strike(fault, replica)
        else:
            self._console.tell(str(fault))
            self._disturb(fault, self._proxies[fault.target])
        self.made[fault.kind] += 1

    async def finish(self) -> None:
        """Return when no process is stopped any more."""
        if self._stops:
            await asyncio.wait(self._stops)

    def _strike(self, fault: Fault, replica: Replica) -> None:
        if fault.kind is Kind.KILL:
            replica.kill()
        elif fault.kind is Kind.TERMINATE:
            replica.terminate()
        else:
            stop = asyncio.create_task(replica.stop(fault.seconds))
            self._stops.add(stop)
            stop.add_done_callback(self._stops.discard)

    def _disturb(self, fault: Fault, proxy: Proxy) -> None:
        if fault.kind is Kind.CUT:
            proxy.cut()
        elif fault.kind is Kind.REFUSE:
            proxy.refuse(fault.seconds)
        elif fault.kind is Kind.DELAY:
            proxy.delay(fault.seconds)
        elif fault.kind is Kind.STALL:
            proxy.stall(fault.seconds)
        else:
            proxy.mute(fault.seconds)
