"""The ways in which people bake: asked, unasked, once more, from git and zip, by an old hand."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bakery import QUESTIONS, SOURCES, TEMPLATE, bake, contents, cookiecutter_settings
from clone import copy_template, git, template_files

OLDEST = "2.4.0"
ASKED = [name for name in QUESTIONS if not name.startswith("_")]
# What no file on Windows can be called.
WINDOWS_REFUSES = re.compile(
    r"[<>:\"|?*\\]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE
)


def cookiecutter(
    into: Path, *words: str | Path, answers: str = "", python_path: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the command with a home of its own; `answers` is what a person types."""
    settings = cookiecutter_settings(into.parent / f"{into.name}-settings")
    into.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", *map(str, words)),
            *("--config-file", str(settings), "--output-dir", str(into)),
        ],
        env=os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": python_path, "NO_COLOR": "1"},
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a bake with every default gives."""
    return contents(bake(tmp_path_factory.mktemp("default")))


def test_a_person_is_asked_in_words_and_enter_takes_the_default(
    default: dict[str, bytes], tmp_path: Path
) -> None:
    done = cookiecutter(tmp_path / "out", TEMPLATE, answers="\n" * len(ASKED))
    assert done.returncode == 0, done.stdout
    shown = " ".join(done.stdout.split())
    for name in ASKED:
        told = QUESTIONS["__prompts__"][name]
        for sentence in told.values() if isinstance(told, dict) else [told]:
            assert sentence in shown
    assert contents(tmp_path / "out" / "my-service") == default


def test_a_person_chooses_by_number(tmp_path: Path) -> None:
    answers = {"project_name": "Shop", "database": "2", "broker": "4", "licence": "2"}
    typed = "".join(f"{answers.get(name, '')}\n" for name in ASKED)
    done = cookiecutter(tmp_path / "out", TEMPLATE, answers=typed)
    assert done.returncode == 0, done.stdout
    kept = json.loads((tmp_path / "out" / "shop" / ".cookiecutter.json").read_text("utf-8"))
    chosen = kept["default_context"]
    assert (chosen["database"], chosen["broker"]) == ("postgresql", "nats")
    assert chosen["licence"] == "MIT"


def test_the_last_answers_can_be_replayed(tmp_path: Path) -> None:
    words = ("--no-input", "project_name=Shop", "broker=redis")
    first = cookiecutter(tmp_path / "out", TEMPLATE, *words)
    assert first.returncode == 0, first.stdout
    before = contents(tmp_path / "out" / "shop")
    shutil.rmtree(tmp_path / "out" / "shop")
    again = cookiecutter(tmp_path / "out", TEMPLATE, "--replay")
    assert again.returncode == 0, again.stdout
    assert contents(tmp_path / "out" / "shop") == before


def test_a_service_keeps_the_answers_that_bake_it_again(tmp_path: Path) -> None:
    chosen = {"project_name": 'Ann\'s "Shop" <&>', "database": "mysql", "licence": "Apache-2.0"}
    service = bake(tmp_path / "first", **chosen)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"),
            *("--config-file", str(service / ".cookiecutter.json")),
            *("--output-dir", str(tmp_path / "again")),
        ],
        env=os.environ | {"HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0
    assert contents(tmp_path / "again" / service.name) == contents(service)
    kept = json.loads((service / ".cookiecutter.json").read_text("utf-8"))
    assert list(kept["default_context"]) == ASKED


def test_it_bakes_from_git(default: dict[str, bytes], tmp_path: Path) -> None:
    repository = copy_template(tmp_path / "template.git")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "The template")
    git(repository, "tag", "v1")
    url = f"git+file://{repository.as_posix()}"
    done = cookiecutter(tmp_path / "out", url, "--checkout", "v1", "--no-input")
    assert done.returncode == 0, done.stdout
    assert contents(tmp_path / "out" / "my-service") == default


def test_it_bakes_from_a_zip(default: dict[str, bytes], tmp_path: Path) -> None:
    archive = tmp_path / "template.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("cookiecutter-fastapi-events-main/", "")
        for path in template_files():
            name = path.relative_to(TEMPLATE).as_posix()
            packed.write(path, f"cookiecutter-fastapi-events-main/{name}")
    done = cookiecutter(tmp_path / "out", archive, "--no-input")
    assert done.returncode == 0, done.stdout
    assert contents(tmp_path / "out" / "my-service") == default


def test_the_oldest_cookiecutter_bakes_the_same(default: dict[str, bytes], tmp_path: Path) -> None:
    old = tmp_path / "old"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--target", str(old), f"cookiecutter=={OLDEST}"),
        ],
        check=True,
        timeout=300,
    )
    done = cookiecutter(tmp_path / "v", "--version", python_path=str(old))
    assert OLDEST in done.stdout
    done = cookiecutter(tmp_path / "out", TEMPLATE, "--no-input", python_path=str(old))
    assert done.returncode == 0, done.stdout
    assert "Your service is in " in done.stdout
    assert contents(tmp_path / "out" / "my-service") == default


def test_no_file_has_a_name_or_a_line_ending_that_windows_would_change() -> None:
    attributes = (TEMPLATE / ".gitattributes").read_text("utf-8")
    assert "* text=auto eol=lf" in attributes
    lower_case: set[str] = set()
    for path in template_files():
        name = path.relative_to(TEMPLATE).as_posix()
        # The longest answer makes a name of 50 characters of this one.
        assert len(name) < 160, name
        assert not any(WINDOWS_REFUSES.search(part) for part in Path(name).parts), name
        assert name.lower() not in lower_case, f"{name} differs from another by its capitals"
        lower_case.add(name.lower())
        if path.is_relative_to(SOURCES):
            assert b"\r" not in path.read_bytes(), name


def test_a_service_keeps_its_line_endings_on_windows_too(tmp_path: Path) -> None:
    service = bake(tmp_path / "out")
    git(service, "init", "--quiet")
    assert "eol: lf" in git(service, "check-attr", "eol", "Makefile")
