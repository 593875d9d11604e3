"""The `run:` steps of the workflows, run on a baked service as GitHub would run them."""

import time
from contextlib import AsyncExitStack
from pathlib import Path

import workflow
from bakery import TEMPLATE, bake
from brokers import scratch_broker
from servers import scratch_database

# What the guarantees' tests show, they show of the same files elsewhere. All are collected here.
QUICK = "-k 'not guarantees and not properties and not faults'"
IMAGE = [
    "docker build --tag service:ci .",
    'docker run --rm service:ci python -c "import app.main"',
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
