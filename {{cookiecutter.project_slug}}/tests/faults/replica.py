"""One process of the service, as an orchestrator keeps it: started again whenever it ends."""

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from tests.faults.errors import CannotRunError

_PROJECT = Path(__file__).parents[2]
_START_DEADLINE = 90.0  # seconds, on a machine that has much else to do
_STOP_DEADLINE = 40.0  # an orchestrator gives a little less
# Below the ports that systems give to outgoing connections, which could take it in a restart.
_PORTS = range(20_000, 32_000)


class Replica:
    """A uvicorn process on a port that stays the same. Its log goes on over every start."""

    def __init__(self, name: str, settings: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self.port = _free_port()
        self.serving = asyncio.Event()
        self.deaths: list[str] = []
        self.slowest_start = 0.0
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._told_to_end = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def keep_running(self) -> None:
        """Run it until cancelled, then end it. Raises CannotRunError when it does not start."""
        try:
            while True:
                self._told_to_end = False
                self._process = await self._start()
                watching = asyncio.create_task(self._wait_until_serving(self._process))
                try:
                    code = await self._process.wait()
                finally:
                    self.serving.clear()
                    watching.cancel()
                if not self._told_to_end:
                    self.deaths.append(f"{self.name} ended by itself with code {code}")
                    await asyncio.sleep(1.0)  # an orchestrator waits before it tries again
        finally:
            await self._end()

    async def until_serving(self) -> None:
        """Return once it answers. Raises CannotRunError when it does not for too long."""
        try:
            await asyncio.wait_for(self.serving.wait(), _START_DEADLINE)
        except TimeoutError:
            raise CannotRunError(
                f"{self.name} does not answer at {self.url} after {_START_DEADLINE:.0f} s. "
                f"Read {self.log}"
            ) from None

    def kill(self) -> None:
        """SIGKILL: no time for anything."""
        self._told_to_end = True
        self.serving.clear()
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM, and SIGKILL should it not end within the time that orchestrators give."""
        self._told_to_end = True
        self.serving.clear()
        self._send(signal.SIGTERM)
        asyncio.get_running_loop().call_later(_STOP_DEADLINE, self._lose_patience, self._process)

    async def stop(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after `seconds`: a long pause of the process or its machine."""
        process = self._process
        self._send(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            if process is self._process:
                self._send(signal.SIGCONT)

    async def _start(self) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(self.port)),
                "--no-access-log",
                cwd=_PROJECT,
                env={**os.environ, **self._settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the harness, which ends its processes
            )

    async def _wait_until_serving(self, process: asyncio.subprocess.Process) -> None:
        started = time.monotonic()
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
            while process.returncode is None:
                with suppress(httpx.TransportError):
                    if (await client.get("/health/live")).status_code == httpx.codes.OK:
                        self.slowest_start = max(self.slowest_start, time.monotonic() - started)
                        self.serving.set()
                        return
                await asyncio.sleep(0.05)

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._send(signal.SIGCONT)
        self._send(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_DEADLINE)
        except TimeoutError:
            self._lose_patience(process)
            await process.wait()

    def _lose_patience(self, process: asyncio.subprocess.Process | None) -> None:
        if process is not None and process is self._process and process.returncode is None:
            self.deaths.append(f"{self.name} did not end within {_STOP_DEADLINE:.0f} s of SIGTERM")
            process.kill()

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


def _free_port() -> int:
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise CannotRunError(f"no port is free between {_PORTS.start} and {_PORTS.stop}")
