"""The service behind uvicorn, as a process of its own that leaves the rows of its tables alone."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import httpx

TOKEN = "the-token-of-a-benchmark"
START_DEADLINE = 60.0
ANSWER_DEADLINE = 60.0
TOLD_OF_LOG = 2000
YEAR_HOURS = 365 * 24
# Nothing is published, deleted or, by how the table is filled, retried; and that the oldest row
# waits for a day is no reason not to be ready.
SETTINGS = {
    "BROKER_URL": "memory://",
    "OUTBOX_PUBLISHER_ENABLED": "false",
    "OUTBOX_RETENTION_HOURS": str(YEAR_HOURS),
    "READY_MAX_BACKLOG_AGE": str(YEAR_HOURS * 3600),
    "OPS_TOKEN": TOKEN,
}


def at_work(url: str) -> dict[str, str]:
    """The environment of a process of the service; at work it has its bytecode."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | SETTINGS | {"DATABASE_URL": url}


@contextmanager
def served(url: str) -> Iterator[httpx.Client]:
    """A browser that knows the token, for the length of a block. Raises RuntimeError."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)]
    with (
        tempfile.TemporaryFile() as log,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"accept": "text/html,*/*", "authorization": f"Bearer {TOKEN}"},
            timeout=ANSWER_DEADLINE,
            trust_env=False,  # no proxy stands before this machine itself
        ) as browser,
    ):
        process = subprocess.Popen(command, env=at_work(url), stdout=log, stderr=log)
        try:
            _wait_until_ready(process, browser, log)
            yield browser
        finally:
            process.kill()
            process.wait()


def _wait_until_ready(
    process: subprocess.Popen[bytes], browser: httpx.Client, log: IO[bytes]
) -> None:
    end = time.monotonic() + START_DEADLINE
    while not _is_ready(browser):
        if _has_ended(process) or time.monotonic() > end:
            log.seek(0)
            told = log.read().decode("utf-8", "replace")[-TOLD_OF_LOG:]
            raise RuntimeError(f"the service does not get ready:\n{told}")


def _is_ready(browser: httpx.Client) -> bool:
    try:
        return browser.get("/health/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(0.02)
    except subprocess.TimeoutExpired:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
