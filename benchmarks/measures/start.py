"""How long the service takes to import and to answer, beside its libraries without its code."""

import argparse
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from child import tell

DEADLINE = 60.0
IMPORT = "import time; t = time.perf_counter(); import app.main; print(time.perf_counter() - t)"
LIBRARIES = (
    "import sys; before = set(sys.modules); import app.main; "
    "print(*(m for m in sys.modules if m not in before and m.split('.')[0] != 'app'), sep='\\n')"
)
LINE = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE)


def share_of_own_code() -> float:
    """Of all import time, the part within modules of `app`, with the calls that they make."""
    told = LINE.findall(python("-X", "importtime", "-c", "import app.main").stderr)
    own = sum(int(microseconds) for microseconds, name in told if name.split(".")[0] == "app")
    return own / sum(int(microseconds) for microseconds, _ in told)


def cold_start(target: str) -> float:
    """Seconds from the start of the process to the first 200 of /health/live."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    begun = time.perf_counter()
    with _served(target, port) as process:
        while not _is_alive(port):
            if process.poll() is not None or time.perf_counter() > begun + DEADLINE:
                raise RuntimeError(f"{target} does not answer on /health/live")
            time.sleep(0.002)
        return time.perf_counter() - begun


@contextmanager
def _served(target: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "uvicorn", target, "--port", str(port), "--no-access-log"]
    process = subprocess.Popen(command, stdout=sys.stderr)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _is_alive(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(
                b"GET /health/live HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n"
            )
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, required=True)
    runs: int = parser.parse_args().runs
    here = Path(__file__).parent
    libraries = here / "libraries.txt"
    libraries.write_text(python("-c", LIBRARIES).stdout, "utf-8")
    os.environ["LIBRARIES"] = str(libraries)
    os.environ["PYTHONPATH"] = os.pathsep.join([os.environ["PYTHONPATH"], str(here)])
    for target in ("libraries:app", "app.main:app"):
        cold_start(target)  # bytecode is written once, at the first start ever
    for _ in range(runs):
        tell(
            libraries=cold_start("libraries:app"),
            service=cold_start("app.main:app"),
            imported=float(python("-c", IMPORT).stdout.split()[-1]),
            share=share_of_own_code(),
        )


main()
