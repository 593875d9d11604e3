"""Writes files all together or not at all, in the order that `make format` gives them."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scaffold.names import RefusedError

# Of the lint rules only the order of imports: what else there is to mend is the owner's business.
RUFF = (["check", "--fix-only", "--select=I"], ["format"])


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write each text to its path below `root`.

    Raises RefusedError when that does not work. Then, and when it is interrupted, every file and
    folder is as it was.
    """
    before = {path: _bytes(root / path) for path in texts}
    above = {folder for path in texts for folder in (root / path).parents}
    made = sorted((folder for folder in above if not folder.exists()), reverse=True)
    try:
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8", newline="\n")
        _put_in_order(root, list(texts))
    except BaseException as error:
        _undo(root, before, made)
        if isinstance(error, OSError):
            raise RefusedError(f"Nothing was changed, since writing failed: {error}.") from None
        raise


def _put_in_order(root: Path, paths: list[str]) -> None:
    for step in RUFF:
        command = [sys.executable, "-m", "ruff", *step, "--no-cache", "--quiet", *paths]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        if done.returncode != 0:
            raise RefusedError(f"Nothing was changed, since ruff failed: {done.stderr.strip()}")


def _undo(root: Path, before: Mapping[str, bytes | None], made: list[Path]) -> None:
    for path, content in before.items():
        if _bytes(root / path) == content:
            continue
        if content is None:
            (root / path).unlink()
        else:
            (root / path).write_bytes(content)
    for folder in made:
        if folder.exists():
            folder.rmdir()


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None
