"""A server as a process of the test's own, which can be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from missing import missing

DEADLINE = 60.0  # seconds
# Where systems keep servers, some before the wrappers of the same name for users.
SERVERS = ("/usr/lib/rabbitmq/bin", os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")
SYSTEM_PATH = os.pathsep.join(SERVERS)


class ServerProcess:
    """Runs `command(port)` with `variables(port)`, on the same port at every start.

    `url` is where it is reached, with `{port}` in it.
    """

    def __init__(
        self,
        url: str,
        command: Callable[[int], list[str]],
        variables: Callable[[int], Mapping[str, str]] | None = None,
    ) -> None:
        self.port = free_port()
        self.url = url.format(port=self.port)
        self._command = command(self.port)
        own = variables(self.port) if variables else {}
        self._environment = {**os.environ, **own, "PATH": SYSTEM_PATH}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_installed(self) -> bool:
        return shutil.which(self._command[0], path=SYSTEM_PATH) is not None

    def require(self) -> None:
        """Skip the test when the program is not there; fail it in CI."""
        if not self.is_installed:
            missing(f"{self._command[0]} is not installed here, which this test starts and kills.")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Return once it accepts connections."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,  # some are started by a shell, which is to end with them
        )
        end = time.monotonic() + DEADLINE
        while not self._answers():
            assert self._process.poll() is None, f"{self._command[0]} ended while it started"
            assert time.monotonic() < end, f"{self._command[0]} does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it, if it runs, without giving it any time."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        os.killpg(process.pid, how)
        process.wait(DEADLINE)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
