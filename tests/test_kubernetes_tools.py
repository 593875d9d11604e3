"""The manifests for Kubernetes, judged by the tools that read them."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from bakery import bake
from conftest import Baked
from linters import manifest_findings
from manifests import FOLDER, workloads
from missing import missing

MISTAKES = {
    "a field that is mistyped": ("readOnlyRootFilesystem", "readOnlyRootFileSystem"),
    "a number in the place of text": ('value: "false"', "value: false"),
    "a kind that is mistyped": ("kind: Deployment", "kind: Deploymnet"),
    "no selector": ("  selector:\n", "  selectors:\n"),
}


@pytest.fixture
def service(baked: Baked) -> Path:
    return baked("postgresql", "rabbitmq")


def test_the_linter_finds_nothing_and_no_file_is_forgotten(service: Path, tmp_path: Path) -> None:
    names = {file.name for file in (service / FOLDER).iterdir()} - {"kustomization.yaml"}
    kustomization = yaml.safe_load((service / FOLDER / "kustomization.yaml").read_text("utf-8"))
    assert set(kustomization["resources"]) == names
    odd = bake(tmp_path, database="mysql", broker="nats", project_slug="null")
    for folder in (service / FOLDER, odd / FOLDER):
        assert manifest_findings(*(folder / name for name in sorted(names))) == ""


@pytest.mark.parametrize(("right", "wrong"), MISTAKES.values(), ids=MISTAKES)
def test_the_linter_would_find_a_mistake(
    right: str, wrong: str, service: Path, tmp_path: Path
) -> None:
    text = (service / FOLDER / "deployment.yaml").read_text("utf-8")
    assert right in text
    file = tmp_path / "deployment.yaml"
    file.write_text(text.replace(right, wrong, 1), "utf-8")
    assert manifest_findings(file) != ""


def test_kustomize_puts_the_image_in(service: Path) -> None:
    if shutil.which("kubectl") is None:
        missing("kubectl is missing, which has kustomize: the Debian package kubernetes-client.")
    built = subprocess.run(
        ["kubectl", "kustomize", str(service / FOLDER)], capture_output=True, text=True, check=True
    )
    images = [line.strip() for line in built.stdout.splitlines() if "image:" in line]
    assert images == ["image: my-service:0.1.0"] * len(workloads(service))
