"""Two bakes are the same to the byte, and no bake holds what running the template has left."""

import ast
import re
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from bakery import COMBINATIONS, QUESTIONS, SOURCES, TEMPLATE, bake, bake_copy, contents
from clone import copy_template
from conftest import Baked
from hook_constants import constant

CACHES = constant("post_gen_project.py", "CACHES")


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_no_delimiter_cache_or_empty_folder_is_left(
    database: str, broker: str, baked: Baked
) -> None:
    service = baked(database, broker)
    # GitHub's own expressions are written ${{ ... }}; what is copied as it is has its own signs.
    anywhere, where_rendered = r"(?<!\.)cookiecutter(?!-fastapi-events)", r"|\{%|\{#|(?<!\$)\{\{"
    copied: list[str] = QUESTIONS["_copy_without_render"]
    for path, content in contents(service).items():
        text = content.decode("utf-8")
        is_copied = any(fnmatch(path, pattern) for pattern in copied)
        delimiter = re.compile(anywhere + ("" if is_copied else where_rendered))
        assert not delimiter.search(text), f"{path}: {delimiter.findall(text)}"
        assert "\r" not in text, path
        assert text.endswith("\n") or not text, f"{path} does not end its last line"
        assert not text.endswith("\n\n"), f"{path} ends with an empty line"
    for folder in (path for path in service.rglob("*") if path.is_dir()):
        assert folder.name not in CACHES
        assert any(folder.iterdir()), f"{folder} is empty"
    assert not list(service.rglob("options"))


def test_the_template_itself_can_be_read_without_baking() -> None:
    tomllib.loads((SOURCES / "pyproject.toml").read_text("utf-8"))
    for path in SOURCES.rglob("*.py"):
        ast.parse(path.read_text("utf-8"))


def test_baking_twice_gives_the_same_bytes_and_modes(tmp_path: Path) -> None:
    first = bake(tmp_path / "first", database="postgresql", broker="rabbitmq")
    started = time.monotonic()
    second = bake(tmp_path / "second", database="postgresql", broker="rabbitmq")
    print(f"one bake: {time.monotonic() - started:.2f} s")
    assert contents(first) == contents(second)
    modes = [
        {path.relative_to(root): path.stat().st_mode for path in root.rglob("*")}
        for root in (first, second)
    ]
    assert modes[0] == modes[1]


def test_the_template_holds_no_caches() -> None:
    found = [path for path in SOURCES.rglob("*") if path.name in CACHES or path.suffix == ".pyc"]
    assert not found, "baked into every service: delete them and set PYTHONDONTWRITEBYTECODE=1"


def test_the_hook_removes_every_cache_that_git_ignores() -> None:
    ignored = (TEMPLATE / ".gitignore").read_text("utf-8").splitlines()
    anywhere = {line[:-1] for line in ignored if re.fullmatch(r"[.\w]+/", line)}
    assert anywhere - {".venv", "node_modules"} == set(CACHES)


def test_no_cache_of_the_template_is_baked_into_a_service(tmp_path: Path) -> None:
    template = copy_template(tmp_path / "template")
    for folder in ("", "app/features/orders", "migrations", "scaffold", "tests/options"):
        for name in CACHES:
            cache = template / SOURCES.name / folder / name
            (cache / "deep").mkdir(parents=True)
            (cache / "deep" / "cached.json").write_text("{{ no template", "utf-8")
    with_caches = bake_copy(template, tmp_path / "with-caches")
    assert contents(with_caches) == contents(bake(tmp_path / "without"))
    assert not [path for path in with_caches.rglob("*") if path.name in CACHES]
