"""The manifests for Kubernetes: harmless, and true of the image that they run."""

from pathlib import Path

import pytest
import yaml
from bakery import COMBINATIONS, contents
from conftest import Baked
from dockerfile import only, stages
from image import USER
from manifests import FOLDER, of_kind, workloads

# A pod whose database is away gets no requests; to start it again would not help.
PROBES = {
    "startupProbe": "/health/live",
    "livenessProbe": "/health/live",
    "readinessProbe": "/health/ready",
}


@pytest.fixture
def service(baked: Baked) -> Path:
    return baked("postgresql", "rabbitmq")


@pytest.mark.parametrize(("database", "broker"), COMBINATIONS)
def test_only_what_can_run_in_many_processes_has_manifests(
    database: str, broker: str, service: Path, baked: Baked
) -> None:
    other = baked(database, broker)
    scales = database != "sqlite" and broker != "memory"
    assert (other / FOLDER).exists() == scales
    assert not scales or contents(other / FOLDER) == contents(service / FOLDER)


def test_no_pod_may_do_more_than_the_image_needs(service: Path) -> None:
    last = stages(service / "Dockerfile")[-1]
    for component, (pod, container) in workloads(service).items():
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": int(only("USER", last).rest),
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not pod["automountServiceAccountToken"]
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
        assert [set(volume) - {"name"} for volume in pod["volumes"]] == [{"emptyDir"}]
        assert {"requests", "limits"} == set(container["resources"]), component


def test_settings_are_ones_that_the_service_has_and_secrets_only_names(service: Path) -> None:
    known = (service / ".env.example").read_text("utf-8")
    assert not of_kind("Secret", service)
    [config] = of_kind("ConfigMap", service)
    for _, container in workloads(service).values():
        for variable in container["env"]:
            is_secret = "value" not in variable
            assert is_secret == variable["name"].endswith(("_URL", "_TOKEN"))
            if is_secret:
                assert variable["valueFrom"]["secretKeyRef"]["key"] == variable["name"]
            assert f"# {variable['name']}=" in known
        assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    assert all(f"# {name}=" in known for name in config["data"])


def test_everything_points_at_what_is_there(service: Path) -> None:
    deployments = {one["metadata"]["name"]: one for one in of_kind("Deployment", service)}
    labels = {
        name: one["spec"]["template"]["metadata"]["labels"] for name, one in deployments.items()
    }
    for name, one in deployments.items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
    [http], [scaler] = of_kind("Service", service), of_kind("HorizontalPodAutoscaler", service)
    web = scaler["spec"]["scaleTargetRef"]["name"]
    assert http["spec"]["selector"] == labels[web]
    assert "replicas" not in deployments[web]["spec"], "it would undo what the autoscaler did"
    budgets = of_kind("PodDisruptionBudget", service)
    assert {
        one["metadata"]["name"]: one["spec"]["selector"]["matchLabels"] for one in budgets
    } == labels


def test_the_ports_and_the_time_to_end_are_the_images(service: Path) -> None:
    last = stages(service / "Dockerfile")[-1]
    command = only("CMD", last).command
    requests = int(command[command.index("--timeout-graceful-shutdown") + 1])
    for pod, container in (workloads(service)[name] for name in ("web", "publisher")):
        [port] = container["ports"]
        assert str(port["containerPort"]) == only("EXPOSE", last).rest
        for probe, page in PROBES.items():
            assert container[probe]["httpGet"] == {"path": page, "port": port["name"]}
        before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        # Background tasks have 15 s, a broker 20.
        seconds = pod["terminationGracePeriodSeconds"]
        assert seconds > before + requests + 15 + 20
        assert f"stop_grace_period: {seconds}s\n" in (service / "compose.yaml").read_text("utf-8")
        assert f"--stop-timeout {seconds} " in (service / "README.md").read_text("utf-8")


def test_one_pod_can_go_while_another_works(service: Path) -> None:
    [scaler] = of_kind("HorizontalPodAutoscaler", service)
    assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]
    replicas = [one["spec"].get("replicas") for one in of_kind("Deployment", service)]
    assert sorted(replicas, key=str) == [2, None], "the publisher's; the autoscaler has the other"


def test_the_migration_is_the_one_of_compose(service: Path) -> None:
    compose = yaml.safe_load((service / "compose.yaml").read_text("utf-8"))["services"]
    _, container = workloads(service)["migration"]
    assert container["command"] == compose["migrate"]["command"]


def test_the_readmes_commands_name_what_the_manifests_do(service: Path) -> None:
    readme = (service / "README.md").read_text("utf-8")
    [job], [scaler] = of_kind("Job", service), of_kind("HorizontalPodAutoscaler", service)
    assert f"kubectl delete job {job['metadata']['name']} " in readme
    assert f"rollout status deployment/{scaler['spec']['scaleTargetRef']['name']}\n" in readme
    assert f"kubectl apply -k {FOLDER}\n" in readme
    variables = [one for _, container in workloads(service).values() for one in container["env"]]
    for source in (one["valueFrom"]["secretKeyRef"] for one in variables if "value" not in one):
        assert f"kubectl create secret generic {source['name']} " in readme
        assert source.get("optional") or f"--from-literal={source['key']}=" in readme
