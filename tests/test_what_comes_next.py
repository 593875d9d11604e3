"""The last lines of a bake: where the service is, and what to type to see it run."""

import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from bakery import bake_by_command
from make import install
from shell import serving

START = ["docker", "compose", "up", "--detach", "--wait"]


def told_commands(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """What they tell a person to type."""
    assert done.returncode == 0, done.stdout
    _, found, last = done.stdout.partition("Your service is in ")
    assert found, done.stdout
    return [line.strip() for line in last.splitlines() if line.startswith("    ")]


def test_what_they_tell_to_type_serves(tmp_path: Path) -> None:
    done = bake_by_command(tmp_path / "Ann's shop")
    install(tmp_path / "Ann's shop" / "my-service")
    with serving(tmp_path, "\n".join(told_commands(done))) as url:
        assert httpx.get(f"{url}/docs").is_success


@pytest.mark.parametrize(
    ("database", "broker"), [("postgresql", "memory"), ("sqlite", "kafka"), ("mysql", "redis")]
)
def test_the_servers_that_were_chosen_are_started_first(
    database: str, broker: str, tmp_path: Path
) -> None:
    done = bake_by_command(tmp_path / "out", database=database, broker=broker)
    _, start, run = told_commands(done)
    compose = yaml.safe_load((tmp_path / "out/my-service/compose.yaml").read_text("utf-8"))
    servers = compose["services"].keys() - {"migrate", "service"}
    assert (start.split(), run) == ([*START, *sorted(servers, reverse=True)], "make run")


def test_a_console_that_cannot_show_a_letter_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = bake_by_command(tmp_path / "Größe")
    assert "make run" in told_commands(done)
    assert (tmp_path / "Größe" / "my-service" / "app" / "main.py").is_file()
