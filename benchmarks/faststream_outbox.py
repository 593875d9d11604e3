"""The environment in which the package faststream-outbox is measured."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.progress import say

FOLDER = Path("build/benchmarks/faststream-outbox")
# The service's own version of FastStream: with another one it would be two comparisons in one.
WANTED = ("faststream-outbox", "faststream[rabbit]>=0.7.8,<0.8", "asyncpg", "uvloop")
DEADLINE = 600.0


def python_with_it() -> Path | str:
    """The interpreter that has it; else a sentence that says why there is none."""
    folder = FOLDER.resolve()
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    installed = folder / ".installed"
    if installed.exists():
        return python
    say("install faststream-outbox into an environment of its own, once")
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED]
    for command in ([sys.executable, "-m", "venv", str(folder)], [str(python), *pip]):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
            return f"faststream-outbox is left out, it cannot be installed here: {reason[0]}"
    installed.touch()
    return python
