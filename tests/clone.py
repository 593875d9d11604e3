"""The template as somebody else has it: a clone, without what running it has left."""

import os
import shutil
import subprocess
from pathlib import Path

from bakery import TEMPLATE

# Whose commits they are; git asks for a name.
IDENTITY = {
    f"GIT_{who}_{what}": "test@example.com"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def template_files() -> list[Path]:
    """What a clone of the template holds."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=TEMPLATE, capture_output=True, text=True, check=True)
    paths = [TEMPLATE / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file()]


def copy_template(into: Path) -> Path:
    """A copy of the template as somebody else has it."""
    for path in template_files():
        target = into / path.relative_to(TEMPLATE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return into


def git(folder: Path, *words: str) -> str:
    """Run git, which must work; gives what it printed."""
    command, env = ["git", *words], os.environ | IDENTITY
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=True
    ).stdout
