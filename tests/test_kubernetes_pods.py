"""What the manifests start, as processes: a migration, then requests apart from publishing."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from brokers import scratch_broker
from conftest import Baked
from manifests import of_kind, variables, workloads
from servers import scratch_database
from service import Service, check, wait_until

PUBLISHING = "outbox publisher"


async def test_requests_and_publishing_work_in_pods_of_their_own(
    baked: Baked, tmp_path: Path
) -> None:
    service = baked("postgresql", "rabbitmq")
    containers = {name: container for name, (_, container) in workloads(service).items()}
    [config] = of_kind("ConfigMap", service)
    async with AsyncExitStack() as stack:
        secret = {
            "DATABASE_URL": await stack.enter_async_context(
                scratch_database("postgresql", tmp_path)
            ),
            "BROKER_URL": stack.enter_context(scratch_broker("rabbitmq")),
        }
        only_database = {"DATABASE_URL": secret["DATABASE_URL"]}
        migration = containers.pop("migration")
        check(service, *migration["command"], **variables(migration, config, only_database))

        pods = {}
        for name, container in containers.items():
            settings = variables(container, config, secret)
            pod = Service(
                service, settings.pop("DATABASE_URL"), settings.pop("BROKER_URL"), **settings
            )
            pods[name] = stack.enter_context(pod.started(ready=True))
            assert_probes_pass(pods[name], container)
            readiness = pods[name].get("/health/ready").json()["checks"]
            assert (PUBLISHING in readiness) == (name == "publisher")

        order = pods["web"].post("/orders", {"customer": "ada", "amount": "12.50"}).json()["id"]
        wait_until(lambda: pods["web"].order_status(order) == "paid", "the order is paid")


def assert_probes_pass(pod: Service, container: dict[str, Any]) -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert pod.get(container[probe]["httpGet"]["path"]).status_code == 200
