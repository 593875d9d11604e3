"""A server process of the test's own, which it may kill and start again."""

import asyncio
import shutil
import socket
import subprocess

from tests.broker.bench import until
from tests.servers import missing


class OwnServer:
    """Runs a program that listens on a port of its own; `url` is where, with {port} filled in.

    When the program is not installed, skips the test with a sentence; in CI (`CI=true`) fails.
    """

    def __init__(self, program: str, url: str) -> None:
        if shutil.which(program) is None:
            missing(f"{program} is not installed here, which this test starts and kills.")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = url.format(port=self.port)
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    async def run(self, *arguments: str) -> None:
        """Start the program and wait until it listens."""
        command = [self._program, *arguments]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: ASYNC220, S603 - at once, fixed words
        await until(self._listens)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self._program} does not start"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True
