"""Every block in the template's README does what it says."""

import json
import os
from pathlib import Path

from bakery import TEMPLATE
from clone import copy_template, git
from markdown import one
from shell import shell


def test_ci_runs_the_tests_as_the_readme_says() -> None:
    command = one(TEMPLATE / "README.md", "Work on the template").text
    assert (TEMPLATE / ".ci" / "run").read_text("utf-8").endswith(f"exec {command}")


def test_a_service_is_baked_as_the_readme_says(tmp_path: Path) -> None:
    text = one(TEMPLATE / "README.md", "Your own service").text
    command = text.replace("path/to/cookiecutter-fastapi-events", f"'{TEMPLATE}' --no-input")
    shell(tmp_path, command, COOKIECUTTER_CONFIG=os.devnull)
    assert (tmp_path / "my-service" / "app" / "main.py").is_file()


def test_a_newer_version_is_taken_as_the_readme_says(tmp_path: Path) -> None:
    repository = copy_template(tmp_path / "template.git")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "The template")
    text = one(TEMPLATE / "README.md", "Taking a newer version").text
    (tmp_path / "work").mkdir()
    url = f"file://{repository.as_posix()}"
    shell(tmp_path / "work", text.replace("path/to/cookiecutter-fastapi-events", url))
    kept = json.loads((tmp_path / "work" / "my-service" / ".cruft.json").read_text("utf-8"))
    assert kept["commit"] == git(repository, "rev-parse", "HEAD").strip()
