"""How long the whole process of a command takes, beside one that asks nothing of the database.

Most of it are the imports of its start, which do not depend on the rows: so no goal is set for it.
"""

import math
import subprocess
import sys
from functools import partial

from served import at_work
from table import timed, told

RUNS = 5
COMMANDS = (["--help"], ["outbox", "status", "--json"])


def tell_processes(url: str, only: str) -> None:
    """A line for each command with the text `only` in its name."""
    print(f"whole processes, which have no goal: {RUNS} runs of each")
    for arguments in COMMANDS:
        name = f"process: python -m app {' '.join(arguments)}"
        if only in name:
            command = [sys.executable, "-m", "app", *arguments]
            told(name, timed(partial(_run, command, url), RUNS), goal=math.inf)


def _run(command: list[str], url: str) -> None:
    subprocess.run(command, env=at_work(url), stdout=subprocess.DEVNULL, check=True)
