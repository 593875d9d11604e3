"""Linters for files that Python does not read. Each gives what it found as text, "" for nothing."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(sys.executable).parent
DEADLINE = 120.0  # seconds
KUBERNETES = ("1.30", "1.37")
"""The oldest version that the manifests are for, and the newest that the linter knows."""


def workflow_findings(*repositories: Path) -> str:
    """On the workflows and the dependabot.yml in the .github folders of repositories."""
    folders = [repository / ".github" for repository in repositories]
    workflows = [file for folder in folders for file in sorted(folder.glob("workflows/*.yml"))]
    options = ("--offline", "--persona=pedantic", "--collect=all")
    found = _found("zizmor", *options, *map(str, folders))
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        found += _schema_findings(schema, *workflows)
    return found + _schema_findings(
        "vendor.dependabot", *(folder / "dependabot.yml" for folder in folders)
    )


def compose_findings(*files: Path) -> str:
    """On compose.yaml."""
    return _schema_findings("vendor.compose-spec", *files)


def dockerfile_findings(file: Path) -> str:
    """On a Dockerfile."""
    return _found("hadolint", "--no-color", str(file))


def manifest_findings(*files: Path) -> str:
    """On manifests for Kubernetes: also a kind that it does not know, which is only a warning."""
    return "".join(
        _output("kubernetes-validate", "-k", version, "--strict", "--quiet", *map(str, files))[1]
        for version in KUBERNETES
    )


def _schema_findings(schema: str, *files: Path) -> str:
    return _found("check-jsonschema", "--builtin-schema", schema, *map(str, files))


def _found(tool: str, *arguments: str) -> str:
    code, output = _output(tool, *arguments)
    return output if code else ""


def _output(tool: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(TOOLS / tool), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode, done.stdout
