"""Dockerfile and compose.yaml: what linters say, and what no linter knows."""

import itertools
import re
import shlex
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
from markdown import blocks

COMBINATIONS = list(itertools.product(DATABASES, BROKERS))
MISTAKES = {
    "root": ("USER 10001", "USER root", "DL3002"),
    "a user that is only a name": ("USER 10001", "USER service", "DL3066"),
    "a shell around the service": ('CMD ["uvicorn", ', 'CMD uvicorn "', "DL3025"),
    "any version of Python": ("python:3.11-slim\nRUN", "python\nRUN", "DL3006"),
}
PRODUCTION = "Put it into production"
USERS = {"postgresql": ("postgres", "postgres"), "mysql": ("root", "root")}
LOGINS = {
    "postgresql": {"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "postgres"},
    "mysql": {"MARIADB_ROOT_PASSWORD": "root"},
}
DATABASE_NAME = {"postgresql": "POSTGRES_DB", "mysql": "MARIADB_DATABASE"}


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
                assert given == LOGINS[database] | {DATABASE_NAME[database]: "my_service"}
                assert inside.path == "/my_service"
                assert (inside.username, inside.password) == USERS[database]
    if broker == "rabbitmq":
        user, password = (
            compose["broker"]["environment"][f"RABBITMQ_DEFAULT_{what}"]
            for what in ("USER", "PASS")
        )
        assert (inside.username, inside.password) == (user, password) == ("guest", "guest")


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_nothing_starts_before_what_it_needs(database: str, broker: str, baked: Baked) -> None:
    file = baked(database, broker) / "compose.yaml"
    compose = yaml.safe_load(file.read_text("utf-8"))["services"]
    needs = {
        name: {other: one["condition"] for other, one in service["depends_on"].items()}
        for name, service in compose.items()
        if "depends_on" in service
    }
    migrated = {"migrate": "service_completed_successfully"}
    connected = {} if broker == "memory" else {"broker": "service_healthy"}
    expected = {"service": migrated | connected}
    if database != "sqlite":
        expected["migrate"] = {"database": "service_healthy"}
    assert needs == expected
    for server in {"database", "broker"} & set(compose):
        check = compose[server]["healthcheck"]
        seconds = int(check["interval"].removesuffix("s")) * check["retries"]
        assert 60 <= seconds <= 120, "a server that starts on a busy machine takes as long"


def test_the_image_is_looked_after_often_and_patiently(baked: Baked) -> None:
    last = stages(baked("sqlite", "memory") / "Dockerfile")[-1]
    options = dict(re.findall(r"--([a-z-]+)=(\d+)s", only("HEALTHCHECK", last).rest))
    seconds = {name: int(number) for name, number in options.items()}
    assert set(seconds) == {"interval", "timeout", "start-period"}
    assert 5 <= seconds["interval"] <= 30
    assert 1 < seconds["timeout"] < seconds["interval"] <= seconds["start-period"]


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_the_readme_puts_into_production_what_the_files_say(
    database: str, broker: str, baked: Baked
) -> None:
    service = baked(database, broker)
    [block] = [one for one in blocks(service / "README.md") if one.heading == PRODUCTION]
    build, migrate, serve = (shlex.split(line) for line in block.text.splitlines())
    version = tomllib.loads((service / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    image = f"{service.name}:{version}"
    compose = yaml.safe_load((service / "compose.yaml").read_text("utf-8"))["services"]
    assert build == ["docker", "build", "--tag", image, "."]
    assert migrate[:3] == [*serve[:2], "--rm"] == ["docker", "run", "--rm"]
    assert migrate[migrate.index(image) + 1 :] == compose["migrate"]["command"]
    assert serve[-1] == image, "it runs the image's own command"
    port = only("EXPOSE", stages(service / "Dockerfile")[-1]).rest
    assert serve[serve.index("--publish") + 1] == f"{port}:{port}"
    settings = (service / ".env.example").read_text("utf-8")
    for line, needed in ((migrate, "migrate"), (serve, "service")):
        given = [line[place + 1] for place, word in enumerate(line) if word == "--env"]
        assert all(f"\n# {name}=" in settings for name in given)
        asked = {
            name for name, text in compose[needed]["environment"].items() if "memory" not in text
        }
        assert set(given) == asked
