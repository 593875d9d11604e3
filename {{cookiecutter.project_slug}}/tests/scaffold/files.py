"""Looks at the files of a folder and changes them, as their owner would."""

from pathlib import Path


def contents(root: Path) -> dict[str, str]:
    """Every file below `root`, and every folder with nothing in its place."""
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8") if path.is_file() else ""
        for path in root.rglob("*")
    }


def change(root: Path, path: str, old: str, new: str) -> None:
    """Put `new` in the place of `old`, which has to be there."""
    text = (root / path).read_text("utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), "utf-8")
