"""Baking services, as a person does with cookiecutter, into scratch folders."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).resolve().parent.parent
SOURCES = TEMPLATE / "{{cookiecutter.project_slug}}"
QUESTIONS: dict[str, Any] = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
DATABASES: list[str] = QUESTIONS["database"]
BROKERS: list[str] = QUESTIONS["broker"]
COMBINATIONS = list(itertools.product(DATABASES, BROKERS))


def cookiecutter_settings(scratch: Path) -> Path:
    """A cookiecutter configuration that keeps its replay files in the scratch folder."""
    scratch.mkdir(parents=True, exist_ok=True)
    settings = scratch / "cookiecutter.yaml"
    lines = [
        f"{name}: {json.dumps(str(scratch / name))}" for name in ("replay_dir", "cookiecutters_dir")
    ]
    settings.write_text("\n".join(lines) + "\n", "utf-8")
    return settings


def bake(into: Path, **answers: str) -> Path:
    """Bake into the folder `into`; gives the service's folder. Questions keep their defaults."""
    return bake_copy(TEMPLATE, into, **answers)


def bake_copy(template: Path, into: Path, /, **answers: str) -> Path:
    """Bake a copy of the template."""
    settings = cookiecutter_settings(into.parent / f"{into.name}-settings")
    into.mkdir(parents=True, exist_ok=True)
    service = cookiecutter(
        str(template),
        no_input=True,
        extra_context=answers,
        output_dir=str(into),
        config_file=str(settings),
    )
    return Path(service)


def bake_by_command(into: Path, **answers: str) -> "subprocess.CompletedProcess[str]":
    """Run the cookiecutter command; what it wrote to both streams is in `stdout`."""
    arguments = [f"{name}={answer}" for name, answer in answers.items()]
    return _run_cookiecutter(into, "", "--no-input", *arguments)


def bake_at_the_prompt(into: Path, **answers: str) -> "subprocess.CompletedProcess[str]":
    """Type the answers, which are not rendered then, and Enter for all other questions."""
    asked = [name for name in QUESTIONS if not name.startswith("_")]
    return _run_cookiecutter(into, "".join(f"{answers.get(name, '')}\n" for name in asked))


def _run_cookiecutter(into: Path, typed: str, *words: str) -> "subprocess.CompletedProcess[str]":
    settings = cookiecutter_settings(into.parent / f"{into.name}-settings")
    into.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", str(TEMPLATE)),
            *("--config-file", str(settings), "--output-dir", str(into), *words),
        ],
        env=os.environ | {"PYTHONUTF8": "1"},
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its path, with what it holds."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
