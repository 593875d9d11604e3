"""The manifests for Kubernetes of a baked service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
FOLDER = "deploy/kubernetes"


def of_kind(kind: str, service: Path) -> list[Manifest]:
    """Every manifest of a kind among those that the kustomization names."""
    folder = service / FOLDER
    files = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["resources"]
    texts = [(folder / file).read_text("utf-8") for file in files]
    found = [manifest for text in texts for manifest in yaml.safe_load_all(text)]
    return [manifest for manifest in found if manifest["kind"] == kind]


def workloads(service: Path) -> dict[str, tuple[Manifest, Manifest]]:
    """The pod and the one container in it of each Deployment and Job, by its component."""
    found = {}
    for workload in of_kind("Deployment", service) + of_kind("Job", service):
        pod = workload["spec"]["template"]["spec"]
        [container] = pod["containers"]
        component = workload["spec"]["template"]["metadata"]["labels"]
        found[component["app.kubernetes.io/component"]] = (pod, container)
    return found


def variables(container: Manifest, config: Manifest, secret: Mapping[str, str]) -> dict[str, str]:
    """The environment that Kubernetes gives to a container."""
    given: dict[str, str] = dict(config["data"])
    for one in container["env"]:
        source = one.get("valueFrom", {}).get("secretKeyRef")
        if source is None:
            given[one["name"]] = one["value"]
        elif source["key"] in secret or not source.get("optional"):
            given[one["name"]] = secret[source["key"]]
    return given
