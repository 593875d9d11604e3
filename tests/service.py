"""A baked service as a real process, driven from outside."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from programs import Done, finish
from server_process import free_port

START_DEADLINE = 60.0  # seconds, for a machine that is busy with other tests
STOP_DEADLINE = 40.0
RUN_DEADLINE = 600.0
SETTINGS = (
    *("DATABASE_", "BROKER_", "SERVICE_", "OUTBOX_", "RETRY_", "OPS_", "LOG_", "OTEL_"),
    *("READY_", "TRUST_", "ENVIRONMENT", "TEST_"),
)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with no setting of a service but the given ones."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(SETTINGS)}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"} | settings


def run(folder: Path, *command: str, **settings: str) -> Done:
    """Run a Python module in a service's folder; what it wrote to both streams is in `stdout`."""
    module = [sys.executable, "-m", *command]
    return finish(module, folder=folder, env=environment(**settings), deadline=RUN_DEADLINE)


def check(folder: Path, *command: str, **settings: str) -> str:
    """Run a Python module that must exit with 0; gives what it wrote."""
    done = run(folder, *command, **settings)
    assert done.returncode == 0, f"{' '.join(command)} in {folder}:\n{done.stdout[-6000:]}"
    return done.stdout


def wait_until(condition: Callable[[], bool], what: str, deadline: float = 30.0) -> None:
    """Return when `condition` holds; fails the test after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline:.0f} s: {what}"
        time.sleep(0.01)


class Service:
    """One service on one database; it may be stopped, killed and started again."""

    def __init__(self, folder: Path, database_url: str, broker_url: str, **settings: str) -> None:
        self.folder = folder
        self.settings = {"DATABASE_URL": database_url, "BROKER_URL": broker_url, **settings}
        self.log_file = folder.parent / f"{folder.name}-{id(self):x}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        if self.process is None:
            self.migrate()
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None:
            self.stop()
        if error is not None:
            error.add_note(f"The service's log, {self.log_file}, ends with:\n{self.log[-4000:]}")

    @property
    def log(self) -> str:
        """All that the service has logged, over every start."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def migrate(self) -> None:
        """Bring the database up to date."""
        check(self.folder, "alembic", "upgrade", "head", **self.settings)

    def started(self, *, ready: bool) -> Self:
        """Start without migrating, for a `with` block that ends the service."""
        self.start(ready=ready)
        return self

    def start(self, *, ready: bool = True) -> None:
        """Serve on a free port; returns when the service is ready, or only alive."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)],
                cwd=self.folder,
                env=environment(**self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        health = "ready" if ready else "live"
        wait_until(lambda: self._is(health), f"the service is {health}", START_DEADLINE)

    def _is(self, health: str) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the service ended while it started:\n{self.log}"
        try:
            return httpx.get(f"{self.url}/health/{health}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """Ask the service to end, as an orchestrator does; gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the service without giving it any time."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def get(self, path: str, accept: str = "*/*") -> httpx.Response:
        """GET a path."""
        return httpx.get(f"{self.url}{path}", headers={"accept": accept}, timeout=30)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST JSON to a path."""
        return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=30)

    def order_status(self, order_id: str) -> str:
        """The status of an order."""
        return str(self.get(f"/orders/{order_id}").json()["status"])

    def payments(self, order_id: str) -> list[dict[str, str]]:
        """The payments for an order."""
        answer: list[dict[str, str]] = self.get(f"/payments?order_id={order_id}").json()
        return answer
