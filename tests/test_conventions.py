"""What a service says of its own conventions is true of its files."""

import ast
import re
from pathlib import Path

from bakery import contents
from conftest import Baked


def methods(file: Path) -> dict[str, set[str]]:
    """The public methods of each class in a module."""
    return {
        node.name: {
            part.name
            for part in node.body
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name[0] != "_"
        }
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }


def test_the_page_of_conventions_names_what_there_is(baked: Baked) -> None:
    service = baked("sqlite", "memory")
    page = (service / "AGENTS.md").read_text("utf-8")
    targets = set(
        re.findall(r"^([a-z]+):", (service / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    named = re.findall(r"`make ([a-z]+)", page)
    assert set(named) <= targets
    assert {"feature", "command", "migration", "check"} <= set(named)
    for path in re.findall(r"`((?:app|tests|migrations|scaffold)/[\w./]*)`", page):
        assert (service / path).exists(), path
    features, units = (
        methods(service / "app/building_blocks" / file)
        for file in ("feature.py", "unit_of_work.py")
    )
    wired = set(re.findall(r"\borders\.(\w+)\(", page))
    assert {"answer", "react", "subscribe"} <= wired <= features["Feature"]
    assert {"publish"} <= set(re.findall(r"\buow\.(\w+)", page)) <= units["UnitOfWork"]
    assert "```" not in page
    assert len(page.split()) < 800


def test_files_are_as_the_editor_settings_say(baked: Baked) -> None:
    for path, content in contents(baked("sqlite", "memory")).items():
        lines = content.decode("utf-8").split("\n")
        assert not lines[-1], f"{path} does not end its last line"
        for number, line in enumerate(lines, start=1):
            where = f"{path}:{number}"
            assert not line.endswith("\r"), where
            assert path.endswith(".md") or line == line.rstrip(), where
            assert line.startswith("\t") <= (path == "Makefile"), where
            indent = len(line) - len(line.lstrip(" "))
            assert not path.endswith((".yaml", ".yml")) or indent % 2 == 0, where
