"""Shell blocks of a README, run as a person pastes them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from clone import IDENTITY
from programs import finish
from server_process import free_port
from service import environment, wait_until

DEADLINE = 600.0  # seconds; a block may install everything
README_PORT = "127.0.0.1:8000"


def shell(folder: Path, text: str, **settings: str) -> str:
    """Run a block in `folder`; every line has to work. Gives what it wrote."""
    command = ["bash", "-eu", "-o", "pipefail", "-c", text]
    done = finish(command, folder=folder, env=variables(folder, **settings), deadline=DEADLINE)
    assert done.returncode == 0, f"{text}\n{done.stdout[-6000:]}"
    return done.stdout


@contextmanager
def serving(folder: Path, text: str, **settings: str) -> Iterator[str]:
    """Run a block whose last line serves until Ctrl-C; gives the URL, once it is ready."""
    port = str(free_port())
    log = folder.parent / f"{folder.name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-eu", "-c", text],
            cwd=folder,
            env=variables(folder, UVICORN_PORT=port, **settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a terminal, too, sends Ctrl-C to all of them
        )
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        assert process.poll() is None, f"{text} ended:\n{log.read_text('utf-8')[-6000:]}"
        try:
            return httpx.get(f"{url}/health/ready", timeout=5).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(is_ready, f"{text} serves", DEADLINE)
        yield url
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def variables(folder: Path, **settings: str) -> dict[str, str]:
    """An environment in which the tools that a README names are there, and git needs no name."""
    own = Path(sys.executable).parent
    path = {"PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder.parent)}
    # What the make that runs these tests was told is nothing to one in a block.
    kept = {name: text for name, text in environment().items() if "MAKE" not in name}
    return kept | path | IDENTITY | settings
