"""Make a virtual environment and install a requirements file into it, showing progress."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from terminal import StepFailedError, run_step, say

BIN = "Scripts" if os.name == "nt" else "bin"
OLDEST = (3, 11)


def make(folder: Path, requirements: Path) -> None:
    """Make `folder` and install `requirements`; raises StepFailedError when a step fails."""
    logs = Path("build/logs").resolve()
    logs.mkdir(parents=True, exist_ok=True)
    python = folder.resolve() / BIN / "python"
    if not python.exists():
        run_step(
            f"make {folder}",
            [sys.executable, "-m", "venv", folder],
            log=logs / "venv.log",
            advice="Install Python's venv module (Debian and Ubuntu: 'apt install python3-venv').",
            cwd=Path.cwd(),
            environment=os.environ,
        )
    pip = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    run_step(
        f"install {requirements}",
        [python, *pip, "--requirement", requirements],
        log=logs / "pip.log",
        advice="Check that pip can reach a package index, then run it again.",
        cwd=Path.cwd(),
        environment=os.environ,
    )


def main() -> int:
    """Make the environment named by the first argument; gives the exit code."""
    if sys.version_info < OLDEST:
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
        say("Name a newer one: make test PYTHON=python3.12")
        return 1
    try:
        make(Path(sys.argv[1]), Path(sys.argv[2]))
    except StepFailedError as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
