"""Odd answers: a working service, or one readable sentence and nothing left behind."""

import ast
import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from bakery import QUESTIONS, TEMPLATE, bake, bake_at_the_prompt, bake_by_command
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from service import Service, wait_until

ODD_NAMES = {
    "emoji only": ("🚀", "service"),
    "emoji and a word": ("🚀 Rockets 👩‍🚀", "rockets"),
    "quotes": ("Ann's \"best\" '''shop'''", "ann-s-best-shop"),
    "backslashes": ("C:\\new\\table \\u12", "c-new-table-u12"),
    "Python keyword": ("class", "class"),
    "leading digit": ("3 tigers", "service-3-tigers"),
    "markup": ("<b> & # %d {x} $HOME `ls`", "b-d-x-home-ls"),
    "other letters": ("订单 Bücher", "ding-dan-bucher"),
    "very long": ("word " * 60, "word-word-word-word-word-word-word-word"),
}

REFUSED = {
    "path upwards": ({"project_slug": "../x"}, "project_slug '../x'"),
    "path downwards": ({"project_slug": "a/b"}, "project_slug 'a/b'"),
    "path of Windows": ({"project_slug": "a\\b"}, "project_slug 'a\\\\b'"),
    "absolute path": ({"project_slug": "/opt/x"}, "project_slug '/opt/x'"),
    "this folder": ({"project_slug": "."}, "project_slug '.'"),
    "the folder above": ({"project_slug": ".."}, "project_slug '..'"),
    "no slug": ({"project_slug": ""}, "project_slug ''"),
    "blanks": ({"project_slug": "my service"}, "project_slug 'my service'"),
    "capitals": ({"project_slug": "MyService"}, "project_slug 'MyService'"),
    "leading digit": ({"project_slug": "3-tigers"}, "project_slug '3-tigers'"),
    "Windows device": ({"project_slug": "con"}, "project_slug 'con'"),
    "Windows device from the name": ({"project_name": "AUX"}, "project_slug 'aux'"),
    "database of MySQL": (
        {"project_slug": "information-schema"},
        "'information-schema' would name",
    ),
    "database of PostgreSQL": (
        {"project_slug": "template1"},
        "project_slug 'template1' would name",
    ),
    "database from the name": ({"project_name": "MySQL"}, "project_slug 'mysql' would name"),
    "block of Markdown": ({"description": "```sh"}, "holds ```, which"),
    "long slug": ({"project_slug": "a" * 51}, "51 characters"),
    "slug longer than a path": ({"project_slug": "a" * 5000}, "5000 characters"),
    "no name": ({"project_name": " "}, "project_name is empty"),
    "no author": ({"author": ""}, "author is empty"),
    "line break": ({"description": "one\ntwo"}, "description 'one\\ntwo'"),
    "control character": ({"author": "a\x7fb"}, "author 'a\\x7fb'"),
    "long text": ({"description": "x" * 501}, "501 characters"),
}

# Typed at the prompt: an answer on the command line is rendered, and comes without its marks.
REFUSED_WHEN_TYPED = {
    "Jinja's expression": ({"description": "{{ cookiecutter.author }}"}, "holds {{, which"),
    "Jinja's statement": ({"author": "{% raw %}"}, "holds {%, which"),
    "Jinja's comment": ({"author": "Ann {# Shop"}, "holds {#, which"),
    "two marks": ({"description": "{{ and {%"}, "holds {{ and {%, which"),
}


@pytest.mark.parametrize(("name", "slug"), ODD_NAMES.values(), ids=ODD_NAMES)
def test_an_odd_name_reaches_the_files_unchanged(name: str, slug: str, tmp_path: Path) -> None:
    service = bake(tmp_path / "out", project_name=name, description=name, author=name)
    assert service.name == slug
    project = tomllib.loads((service / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["description"] == name
    assert project["project"]["authors"] == [{"name": name}]
    assert project["tool"]["service"]["service_name"] == slug
    assert (service / "README.md").read_text("utf-8").startswith(f"# {name}\n\n{name}\n")
    assert yaml.safe_load((service / "compose.yaml").read_text("utf-8"))["name"] == slug


def test_a_service_with_odd_answers_works(tmp_path: Path) -> None:
    odd = '🚀 "Ann\'s" \\u12 class {x} %d #'
    folder = bake(tmp_path / "out", project_name=odd, description=odd, author=odd)
    url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    with Service(folder, url, "memory://") as service:
        order = service.post("/orders", {"customer": odd, "amount": "12.50"}).json()
        assert order["customer"] == odd
        wait_until(lambda: service.order_status(order["id"]) == "paid", "the order is paid")


@pytest.mark.parametrize(("answers", "sentence"), REFUSED.values(), ids=REFUSED)
def test_an_unusable_answer_is_refused_and_nothing_is_left(
    answers: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    into = tmp_path / "deep" / "out"
    is_refused(bake_by_command(into, **answers), into, sentence)
    assert not Path("/opt/x").exists()


@pytest.mark.parametrize(
    ("answers", "sentence"), REFUSED_WHEN_TYPED.values(), ids=REFUSED_WHEN_TYPED
)
def test_an_answer_that_would_be_rendered_when_given_again_is_refused(
    answers: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    into = tmp_path / "deep" / "out"
    is_refused(bake_at_the_prompt(into, **answers), into, sentence)


def is_refused(done: "subprocess.CompletedProcess[str]", into: Path, sentence: str) -> None:
    """With that sentence, and nothing is left behind."""
    assert done.returncode != 0
    [reason] = [line for line in done.stdout.splitlines() if line.startswith("- ")]
    assert sentence in reason
    assert "answer with" in reason
    assert list(into.iterdir()) == []
    assert {path.name for path in into.parent.iterdir()} == {"out", "out-settings"}


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    done = bake_by_command(tmp_path / "out", project_slug="../x", author="", description="a\nb")
    reasons = [line for line in done.stdout.splitlines() if line.startswith("- ")]
    assert [reason.split()[1] for reason in reasons] == ["project_slug", "description", "author"]


@pytest.mark.parametrize(
    "answers", [{"database": "oracle"}, {"broker": "zeromq"}, {"licence": "beerware"}]
)
def test_an_unknown_option_is_refused_with_the_choices(
    answers: dict[str, str], tmp_path: Path
) -> None:
    [(question, answer)] = answers.items()
    done = bake_by_command(tmp_path / "out", **answers)
    assert done.returncode != 0
    last = done.stdout.strip().splitlines()[-1]
    assert answer in last
    assert all(choice in last for choice in QUESTIONS[question])
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "out" / "my-service" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = bake_by_command(tmp_path / "out")
    assert done.returncode != 0
    assert "already exists" in done.stdout
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("licence", "name", "words"),
    [
        ("proprietary", "LicenseRef-Proprietary", "Copyright (c) Ann's. All rights reserved."),
        ("MIT", "MIT", "MIT License\n\nCopyright (c) Ann's\n"),
        ("Apache-2.0", "Apache-2.0", "Copyright Ann's\n"),
    ],
)
def test_the_licence_is_its_text_and_its_name(
    licence: str, name: str, words: str, tmp_path: Path
) -> None:
    service = bake(tmp_path / "out", licence=licence, author="Ann's")
    assert words in (service / "LICENSE").read_text("utf-8")
    project = tomllib.loads((service / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["license"] == name
    assert not (service / "licences").exists()


@given(answers=st.dictionaries(st.text(), st.text()))
def test_no_answer_breaks_out_of_the_hook_that_reads_it(answers: dict[str, str]) -> None:
    hook = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text("utf-8")
    [line] = [line for line in hook.splitlines() if line.startswith("ANSWERS")]
    source = Environment(autoescape=False).from_string(line).render(cookiecutter=answers)
    [statement] = ast.parse(source).body
    assert isinstance(statement, ast.AnnAssign)
    assert isinstance(statement.value, ast.Call)
    assert json.loads(ast.literal_eval(statement.value.args[0])) == answers
