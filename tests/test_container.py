"""Dockerfile and compose.yaml: what linters say, and what no linter knows."""

import itertools
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from bakery import BROKERS, DATABASES
from conftest import Baked
from dockerfile import only, stages
from image import USER
from linters import compose_findings, dockerfile_findings

COMBINATIONS = list(itertools.product(DATABASES, BROKERS))
MISTAKES = {
    "root": ("USER 10001", "USER root", "DL3002"),
    "a user that is only a name": ("USER 10001", "USER service", "DL3066"),
    "a shell around the service": ('CMD ["uvicorn", ', 'CMD uvicorn "', "DL3025"),
    "any version of Python": ("python:3.11-slim\nRUN", "python\nRUN", "DL3006"),
}


def test_no_linter_finds_anything(baked: Baked) -> None:
    services = list(itertools.starmap(baked, COMBINATIONS))
    assert dockerfile_findings(services[0] / "Dockerfile") == ""
    assert compose_findings(*(service / "compose.yaml" for service in services)) == ""


@pytest.mark.parametrize(("right", "wrong", "finding"), MISTAKES.values(), ids=MISTAKES)
def test_the_linter_would_find_a_mistake(
    right: str, wrong: str, finding: str, baked: Baked, tmp_path: Path
) -> None:
    text = (baked("sqlite", "memory") / "Dockerfile").read_text("utf-8")
    assert right in text
    (tmp_path / "Dockerfile").write_text(text.replace(right, wrong), "utf-8")
    assert finding in dockerfile_findings(tmp_path / "Dockerfile")


def test_the_last_stage_is_slim_without_tools_and_not_root(baked: Baked) -> None:
    *before, last = stages(baked("sqlite", "memory") / "Dockerfile")
    assert len(before) == 1
    assert re.fullmatch(r"python:3\.\d+-slim", only("FROM", last).rest)
    assert not re.search(r"\b(apt|pip|curl|gcc)\b", only("RUN", last).rest)
    assert f"--uid {USER} " in only("RUN", last).rest
    assert last.index(only("USER", last)) > max(
        index for index, one in enumerate(last) if one.word in ("RUN", "COPY")
    )
    assert only("USER", last).rest == str(USER)


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_the_defaults_reach_what_compose_publishes(
    database: str, broker: str, baked: Baked
) -> None:
    service = baked(database, broker)
    project = tomllib.loads((service / "pyproject.toml").read_text("utf-8"))
    compose = yaml.safe_load((service / "compose.yaml").read_text("utf-8"))["services"]
    for setting, server in (("database_url", "database"), ("broker_url", "broker")):
        outside = urlsplit(project["tool"]["service"][setting])
        inside = urlsplit(compose["service"]["environment"][setting.upper()])
        assert inside.scheme == outside.scheme
        assert (server in compose) == bool(outside.port)
        if server in compose:
            assert inside.hostname == server
            assert f"127.0.0.1:{outside.port}:{outside.port}" in compose[server]["ports"]
            assert (inside.username, inside.password) == (outside.username, outside.password)
            if server == "database":
                assert inside.path == outside.path
                given = compose[server]["environment"]
                assert inside.path.strip("/") in given.values()
                assert outside.password in given.values()
