"""The steps of a GitHub workflow, read and run as a runner would."""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from service import environment

DEADLINE = 900.0  # seconds
INPUT = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
CONDITION = re.compile(r"inputs\.([\w-]+)(?: != '(\w+)')?")


@dataclass(frozen=True)
class Step:
    """A `run:` step, with the folder and the variables that the workflow gives it."""

    script: str
    folder: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def needs_docker(self) -> bool:
        return self.script.startswith("docker ")

    def run(self, checkout: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run it with bash, as GitHub does, below `checkout`."""
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(self.script)
            script.flush()
            return subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", script.name],
                cwd=checkout / self.folder,
                env=environment(CI="true") | settings | self.variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=DEADLINE,
                check=False,
            )


def read(file: Path) -> dict[str, Any]:
    """A workflow. YAML takes its key `on` for true; here it is "on"."""
    workflow: dict[Any, Any] = yaml.safe_load(file.read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in workflow.items()}


def uses(repository: Path) -> list[str]:
    """The actions and workflows that a repository's workflows use, with the comments behind."""
    texts = [file.read_text("utf-8") for file in repository.glob(".github/workflows/*.yml")]
    return [line.strip() for text in texts for line in re.findall(r"\buses: (.*)", text)]


def all_inputs(workflow: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a reusable workflow: the given ones, and the defaults of the others."""
    declared = workflow["on"]["workflow_call"]["inputs"]
    assert set(given) <= set(declared), "an input that the workflow does not have"
    missing = {name for name, one in declared.items() if one.get("required")} - set(given)
    assert not missing, f"required: {missing}"
    return {name: given.get(name, one.get("default")) for name, one in declared.items()}


def run_steps(workflow: dict[str, Any], inputs: Mapping[str, Any]) -> list[Step]:
    """Every `run:` step of every job, less those whose condition does not hold."""
    steps = []
    for job in workflow["jobs"].values():
        folder = job.get("defaults", {}).get("run", {}).get("working-directory", ".")
        for step in job["steps"]:
            if "run" in step and all(_holds(one.get("if"), inputs) for one in (job, step)):
                variables = {name: fill(text, inputs) for name, text in step.get("env", {}).items()}
                steps.append(Step(fill(step["run"], inputs), fill(folder, inputs), variables))
    return steps


def fill(text: str, inputs: Mapping[str, Any]) -> str:
    """Put inputs in the place of `${{ inputs.name }}`; there must be no other expression."""
    filled = INPUT.sub(lambda found: str(inputs[found[1]]), text)
    assert "${{" not in filled, f"an expression that this does not know: {filled}"
    return filled


def _holds(condition: str | None, inputs: Mapping[str, Any]) -> bool:
    if condition is None:
        return True
    found = CONDITION.fullmatch(condition)
    assert found, f"a condition that this does not know: {condition}"
    value = inputs[found[1]]
    return bool(value != found[2] if found[2] else value)
