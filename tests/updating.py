"""Cruft, run as the owner of a service runs it, and commits between the updates."""

import os
import sys
from pathlib import Path

from clone import IDENTITY, git
from programs import finish

DEADLINE = 120.0  # seconds


def url_of(template: Path) -> str:
    return f"file://{template.as_posix()}"


def commit(folder: Path, name: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", name)
    git(folder, "tag", name.replace(" ", "-"))


def update(service: Path) -> str:
    return cruft(service, "update", "--skip-apply-ask", "--refresh-private-variables")


def cruft(folder: Path, *words: str, expected: int = 0) -> str:
    """Run cruft in a folder with a home of its own; gives what it wrote."""
    command = [sys.executable, "-m", "cruft", *words]
    home = {"HOME": str(folder.parent), "PYTHONUTF8": "1"}
    done = finish(command, folder=folder, env=os.environ | IDENTITY | home, deadline=DEADLINE)
    assert done.returncode == expected, f"cruft {' '.join(words)}:\n{done.stdout}"
    return done.stdout
