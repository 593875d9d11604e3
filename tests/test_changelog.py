"""The changelog names the version that services keep, and what owners do."""

import re

from bakery import SOURCES, TEMPLATE


def test_the_version_that_services_keep_is_the_newest_in_the_changelog() -> None:
    changelog = (TEMPLATE / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (\d+\.\d+\.\d+)\b", changelog, re.MULTILINE)
    text = (SOURCES / ".cookiecutter.json").read_text("utf-8")
    assert f'"version": "{versions[0]}"' in text
    assert versions == sorted(versions, key=_numbers, reverse=True)
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        assert "What owners do:" in section, section.splitlines()[0]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
