"""Refuse answers that would not make a working service: all of them at once, a sentence each.

cookiecutter renders this file before it runs it. An answer with a path in it never becomes a
folder: `__project_folder` in cookiecutter.json has already put a harmless name in its place.
"""

import json
import re
import sys
import unicodedata

ANSWERS: dict[str, str] = json.loads(r"""{{ cookiecutter | tojson }}""")

CHOICES = {
    "database": ("sqlite", "postgresql", "mysql"),
    "broker": ("memory", "rabbitmq", "kafka", "nats", "redis"),
    "licence": ("proprietary", "MIT", "Apache-2.0"),
    "ci": ("github", "github-reusable", "none"),
}
FREE_TEXT = ("project_name", "description", "author")
NEVER_EMPTY = ("project_name", "author")
LONGEST_SLUG = 50
LONGEST_TEXT = 500
WINDOWS_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
# What a database server calls its own, with the hyphens of a slug.
SYSTEM_DATABASES = {
    *("mysql", "information-schema", "performance-schema", "sys"),
    *("postgres", "template0", "template1"),
}
# Marks of Jinja, which would be read when the answer is given again, by a person or by cruft, and
# the mark of a block in Markdown. Not written in one piece: this file is rendered too.
MARKS = ("{" + "{", "{" + "%", "{" + "#", "`" * 3)
# Control characters, halves of surrogate pairs, line and paragraph separators.
UNWRITABLE = {"Cc", "Cs", "Zl", "Zp"}


def slug_problems(slug: str) -> list[str]:
    """What is wrong with the technical name."""
    if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug) is None:
        return [
            f"project_slug {slug!r} cannot name a folder and a service: answer with lower-case "
            "letters, digits and single hyphens that start with a letter, such as 'my-service'."
        ]
    if len(slug) > LONGEST_SLUG:
        return [
            f"project_slug has {len(slug)} characters: "
            f"answer with a name of at most {LONGEST_SLUG}."
        ]
    if WINDOWS_DEVICES.fullmatch(slug):
        return [
            f"project_slug {slug!r} is a device on Windows, where no folder can have that name: "
            f"answer with a longer name, such as '{slug}-service'."
        ]
    if slug in SYSTEM_DATABASES:
        return [
            f"project_slug {slug!r} would name the service's database, and database servers have "
            f"one of that name for themselves: answer with a longer name, such as '{slug}-service'."
        ]
    return []


def text_problems(name: str, text: str) -> list[str]:
    """What is wrong with an answer that people read."""
    problems = []
    if name in NEVER_EMPTY and not text.strip():
        problems.append(f"{name} is empty: answer with at least one word.")
    if any(unicodedata.category(character) in UNWRITABLE for character in text):
        problems.append(
            f"{name} {text!r} holds a line break or a control character: "
            "answer with one line of plain text."
        )
    if found := [mark for mark in MARKS if mark in text]:
        problems.append(
            f"{name} {text!r} holds {' and '.join(found)}, which templates and Markdown take for "
            "marks of their own: answer with text that has none."
        )
    if len(text) > LONGEST_TEXT:
        problems.append(f"{name} has {len(text)} characters: answer with at most {LONGEST_TEXT}.")
    return problems


def choice_problems(name: str, answer: str) -> list[str]:
    """What is wrong with an answer that has to be one of a list."""
    if answer in CHOICES[name]:
        return []
    return [f"{name} {answer!r} is not offered: choose one of {', '.join(CHOICES[name])}."]


def problems() -> list[str]:
    """Every reason not to bake, in the order of the questions."""
    found = slug_problems(ANSWERS["__answered_slug"])
    for name in FREE_TEXT:
        found += text_problems(name, ANSWERS[name])
    for name in CHOICES:
        found += choice_problems(name, ANSWERS[name])
    return found


if refusals := problems():
    print("Nothing was generated:", file=sys.stderr)
    for refusal in refusals:
        print(f"- {refusal}", file=sys.stderr)
    sys.exit(1)
