"""Bake the default service, install, migrate and serve it, and show one order travelling.

Needs Python 3.11 or newer with pip and venv, nothing else. Everything lands in build/.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

from terminal import StepFailedError, paint, run_step, say, tail

TEMPLATE = Path(__file__).resolve().parent.parent
BUILD = TEMPLATE / "build"
LOGS = BUILD / "logs"
TOOLS = BUILD / "tools"
SERVICE = BUILD / "demo" / "my-service"
BIN = "Scripts" if os.name == "nt" else "bin"
PIP = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
FIRST_PORT = 8000
START_DEADLINE = 60.0  # seconds until the service must be ready
ORDER_DEADLINE = 30.0  # seconds until the order must be paid
PIP_ADVICE = "Check that pip can reach a package index (try 'pip download six'), then run it again."
# What the service reads: a value meant for another service must not reach the demo.
SERVICE_SETTINGS = ("DATABASE_", "BROKER_", "SERVICE_", "OUTBOX_", "RETRY_", "OPS_", "LOG_")


def clean_environment() -> dict[str, str]:
    """This process's environment without Python's and the service's own settings."""
    dropped = (*SERVICE_SETTINGS, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def step(title: str, *command: str | Path, advice: str, cwd: Path = TEMPLATE) -> None:
    """Run one step of the demo; its log is named after it."""
    log = LOGS / f"{title.replace(' ', '-')}.log"
    run_step(title, command, log=log, advice=advice, cwd=cwd, environment=clean_environment())


def make_venv(folder: Path, title: str) -> Path:
    """The Python of a virtual environment in `folder`, made when it is not there."""
    python = folder / BIN / "python"
    if not python.exists():
        advice = "Install Python's venv module (Debian and Ubuntu: 'apt install python3-venv')."
        step(title, sys.executable, "-m", "venv", folder, advice=advice)
    return python


def install(python: Path, title: str, *what: str, stamp_of: str, cwd: Path = TEMPLATE) -> None:
    """Install with pip, unless the same thing was installed by an earlier run."""
    stamp = python.parent.parent / "installed.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != stamp_of:
        step(title, python, *PIP, *what, advice=PIP_ADVICE, cwd=cwd)
        stamp.write_text(stamp_of, encoding="utf-8")


def bake() -> None:
    """Bake the default service; a virtual environment of an earlier run stays."""
    for old in SERVICE.glob("*"):
        if old.name != ".venv":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    python = make_venv(TOOLS, "make the tools' environment")
    install(python, "install cookiecutter", "cookiecutter>=2.4", stamp_of="cookiecutter>=2.4")
    step(
        "bake my-service",
        *(python, "-m", "cookiecutter", TEMPLATE, "--no-input", "--default-config"),
        *("--overwrite-if-exists", "--output-dir", SERVICE.parent),
        advice="The template is broken: run 'make test'.",
    )


def prepare() -> Path:
    """Bake, install and migrate; gives the Python of the service's own environment."""
    bake()
    python = make_venv(SERVICE / ".venv", "make the service's environment")
    pyproject = (SERVICE / "pyproject.toml").read_text(encoding="utf-8")
    install(python, "install my-service", ".", stamp_of=pyproject, cwd=SERVICE)
    (SERVICE / "service.db").unlink(missing_ok=True)
    step(
        "migrate the database",
        *(python.parent / "alembic", "upgrade", "head"),
        advice="The template is broken: run 'make test'.",
        cwd=SERVICE,
    )
    return python


def free_port() -> int:
    """The first port from 8000 on that nobody listens on."""
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StepFailedError("The ports 8000 to 8099 are all taken: end one of their owners.")


def call(url: str, body: dict[str, str] | None = None) -> Any:
    """The JSON that answers a GET, or a POST of `body`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def wait_until_ready(service: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return when the service says that it can work."""
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline and service.poll() is None:
        try:
            call(f"{url}/health/ready")
            return
        except OSError:
            time.sleep(0.05)
    what = "did not become ready" if service.poll() is None else "ended while it started"
    raise StepFailedError(f"The service {what}. The end of {log}:\n{tail(log)}")


def show_order(url: str, log: Path) -> None:
    """Post an order and show each state it passes until it is paid."""
    say(f"\nPOST {url}/orders")
    started = time.monotonic()
    order = call(f"{url}/orders", {"customer": "ada", "amount": "12.50"})
    answered = time.monotonic()
    say(f"  {order['status']:<8} {1000 * (answered - started):6.0f} ms  order {order['id']}")
    while order["status"] == "created":
        if time.monotonic() > answered + ORDER_DEADLINE:
            raise StepFailedError(f"The order stayed created. The end of {log}:\n{tail(log)}")
        time.sleep(0.005)
        order = call(f"{url}/orders/{order['id']}")
    elapsed = 1000 * (time.monotonic() - answered)
    say(f"  {paint(order['status'], '32'):<8} {elapsed:6.0f} ms  later, over the broker and back")
    for payment in call(f"{url}/payments?order_id={order['id']}"):
        say(f"  payment {payment['id']}: {payment['amount']} {payment['status']}")
    if order["status"] != "paid":
        raise StepFailedError(f"The order ended {order['status']}. The end of {log}:\n{tail(log)}")


def serve(python: Path, *, once: bool) -> None:
    """Run the service and show an order; then serve until Ctrl-C, or stop when `once`."""
    port, log = free_port(), LOGS / "service.log"
    url = f"http://127.0.0.1:{port}"
    command = [str(python), "-m", "uvicorn", "app.main:app", "--port", str(port)]
    with log.open("wb") as output:
        service = subprocess.Popen(
            command,
            cwd=SERVICE,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this script, which then ends the service
        )
    try:
        wait_until_ready(service, url, log)
        show_order(url, log)
        if once:
            return
        say(f"\n{paint('Serving until Ctrl-C.', '1')} The code: {SERVICE.relative_to(TEMPLATE)}")
        for path in ("/docs", "/asyncapi", "/metrics", "/health/ready"):
            say(f"  {url}{path}")
        say(f"  log: {log.relative_to(TEMPLATE)}")
        service.wait()
        raise StepFailedError(f"The service ended by itself. The end of {log}:\n{tail(log)}")
    finally:
        service.terminate()
        service.wait()


def interrupt(*_: object) -> NoReturn:
    """Let SIGTERM end the demo as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="stop when the order is paid")
    once = parser.parse_args().once
    if sys.version_info < (3, 11):
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
        say("Name a newer one: make demo PYTHON=python3.12")
        return 1
    signal.signal(signal.SIGTERM, interrupt)
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        serve(prepare(), once=once)
    except StepFailedError as failure:
        say(f"\n{paint('✗', '31')} {failure}")
        return 1
    except (OSError, urllib.error.URLError) as failure:
        say(f"\n{paint('✗', '31')} {failure}. Look into {LOGS} and run it again.")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
