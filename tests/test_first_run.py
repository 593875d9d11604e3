"""The first minutes of a person with this template: `make demo` on a fresh copy of it."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from bakery import TEMPLATE
from service import environment, wait_until

IGNORED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The template as a person gets it."""
    return Path(shutil.copytree(TEMPLATE, tmp_path / "checkout", ignore=IGNORED))


def test_the_demo_shows_an_order_being_paid_then_serves_until_it_is_interrupted(
    checkout: Path,
) -> None:
    started = time.monotonic()
    # A setting that is meant for another service must not reach the demo's.
    settings = environment(DATABASE_URL="postgresql://nowhere/", BROKER_URL="zeromq://nowhere/")
    once = subprocess.run(
        ["make", "demo", "DEMO_ONCE=1"],
        cwd=checkout,
        env=settings,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    print(f"make demo took {time.monotonic() - started:.0f} s")
    assert once.returncode == 0, once.stdout + once.stderr
    assert "\x1b" not in once.stdout
    created, paid = (
        next(line for line in once.stdout.splitlines() if line.startswith(f"  {status} "))
        for status in ("created", "paid")
    )
    assert " ms" in created
    assert " ms" in paid
    assert "taken" in once.stdout

    output = checkout / "output.txt"
    with output.open("wb") as stream:
        demo = subprocess.Popen(
            ["python3", "scripts/demo.py"], cwd=checkout, env=settings, stdout=stream
        )
    try:
        wait_until(
            lambda: "/health/ready" in output.read_text("utf-8") or demo.poll() is not None,
            "the demo serves",
            deadline=120,
        )
    finally:
        demo.send_signal(signal.SIGINT)
        code = demo.wait(60)
    written = output.read_text("utf-8")
    assert code == 0, written
    for path in ("/docs", "/asyncapi", "/metrics", "/health/ready"):
        assert path in written
    assert written.rstrip().endswith("Stopped.")


def test_a_step_that_fails_says_what_to_do(checkout: Path) -> None:
    # No package index: pip cannot install the tools.
    settings = environment(
        PIP_INDEX_URL="http://127.0.0.1:9/",
        PIP_RETRIES="0",
        PIP_NO_CACHE_DIR="1",
        PIP_CONFIG_FILE="/dev/null",
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
    )
    done = subprocess.run(
        ["make", "demo", "DEMO_ONCE=1"],
        cwd=checkout,
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "install cookiecutter: failed" in done.stdout
    assert "Check that pip can reach a package index" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
