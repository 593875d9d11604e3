"""The `run:` steps of the workflows, run on a baked service as GitHub would run them."""

import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import workflow
from bakery import TEMPLATE, bake, cookiecutter_settings
from brokers import scratch_broker
from conftest import Baked
from servers import scratch_database

# What the guarantees' tests show, they show of the same files elsewhere. All are collected here.
QUICK = "-k 'not guarantees and not properties and not faults and not ops and not operations'"
IMAGE = [
    "docker build --tag service:ci .",
    'docker run --rm service:ci python -c "import app.main"',
]

CHECK = [
    "make install",
    "make lint",
    "make types",
    "make migrate",
    ".venv/bin/alembic check",
    "make test",
]


def run_all(steps: list[workflow.Step], checkout: Path, **settings: str) -> None:
    """Run the steps that need no Docker, in their order; each must exit with 0."""
    for step in steps:
        if step.needs_docker:
            continue
        started = time.monotonic()
        done = step.run(checkout, PYTEST_ADDOPTS=QUICK, **settings)
        print(f"{step.script.splitlines()[0]}: {time.monotonic() - started:.0f} s")
        assert done.returncode == 0, f"{step.script}:\n{done.stdout[-6000:]}"


def with_docker(steps: list[workflow.Step]) -> list[str]:
    return [step.script for step in steps if step.needs_docker]


def scripts(file: Path, job: str = "check") -> list[str]:
    """What a job runs, in its order."""
    steps = workflow.read(file)["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step]


def test_a_change_is_checked_by_these_scripts_and_no_fewer(baked: Baked) -> None:
    carried = ".github/workflows/ci.yml"
    assert scripts(baked("sqlite", "memory") / carried) == CHECK
    up = "docker compose up --detach --wait"
    assert scripts(baked("postgresql", "nats") / carried) == [f"{up} database broker", *CHECK]
    refuse, *others = scripts(TEMPLATE / ".github/workflows/service.yml")
    assert refuse.startswith("refuse()")
    assert others == [f"{up} database", f"{up} broker", *CHECK]


def test_the_templates_own_workflow_tries_the_containers_of_a_baked_service(
    tmp_path: Path,
) -> None:
    pip, bakes, *others = scripts(TEMPLATE / ".github/workflows/ci.yml", "containers")
    assert pip == "pip install cookiecutter"
    page = "http://127.0.0.1:8000/health/ready"
    assert others == [
        "docker compose up --detach --wait",
        f"curl --fail --silent --show-error {page}",
        *IMAGE,
    ]
    done = workflow.Step(bakes, ".").run(
        TEMPLATE,
        RUNNER_TEMP=str(tmp_path),
        COOKIECUTTER_CONFIG=str(cookiecutter_settings(tmp_path / "settings")),
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    )
    assert done.returncode == 0, done.stdout
    compose = (tmp_path / "my-service" / "compose.yaml").read_text("utf-8")
    assert "image: postgres:" in compose
    assert "image: nats:" in compose
    assert '- "8000:8000"' in compose


async def test_the_workflow_that_a_service_carries_passes(tmp_path: Path) -> None:
    service = bake(tmp_path / "own")
    steps = workflow.run_steps(workflow.read(service / ".github/workflows/ci.yml"), {})
    assert with_docker(steps) == IMAGE
    run_all(steps, service)


async def test_the_workflow_that_services_call_passes(tmp_path: Path) -> None:
    checkout = tmp_path / "monorepo"
    service = bake(
        checkout / "services", database="postgresql", broker="rabbitmq", ci="github-reusable"
    )
    [caller] = workflow.read(service / ".github/workflows/ci.yml")["jobs"].values()
    reusable = workflow.read(TEMPLATE / ".github/workflows/service.yml")
    given = caller["with"] | {"working-directory": "services/my-service"}
    steps = workflow.run_steps(reusable, workflow.all_inputs(reusable, given))
    assert with_docker(steps) == [
        "docker compose up --detach --wait database",
        "docker compose up --detach --wait broker",
        *IMAGE,
    ]
    async with AsyncExitStack() as stack:
        database_url = await stack.enter_async_context(scratch_database("postgresql", tmp_path))
        broker_url = stack.enter_context(scratch_broker("rabbitmq"))
        run_all(steps, checkout, DATABASE_URL=database_url, BROKER_URL=broker_url)
