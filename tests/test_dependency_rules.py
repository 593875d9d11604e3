"""The service's dependency rules: each kind of breach is found, in features to come as well."""

import re
import shutil
from pathlib import Path

import pytest
from bakery import bake
from make import lint_imports
from service import check

LAYERS = "main knows the features"
FEATURES = "a feature knows another one only by its integration_events"
CONTRACTS = "integration_events are a public contract"
DOMAIN = "a domain knows no framework"

BREACHES = {
    "a building block knows a feature": (
        "building_blocks/money", "from app.features.orders.domain import Order", LAYERS),
    "a building block knows the settings": (
        "building_blocks/money", "from app.settings import Settings", LAYERS),
    "a feature knows main": ("features/orders/queries", "import app.main", LAYERS),
    "another feature's domain": (
        "features/payments/take_payment", "from app.features.orders.domain import Order", FEATURES),
    "another feature's command": (
        "features/shipments/subscribers",
        "from app.features.orders.pay_order import PayOrder", FEATURES),
    "another feature, by a name of its package": (
        "features/orders/api", "from app.features.shipments import domain", FEATURES),
    "another feature, by way of the list of all": (
        "features/shipments/queries", "from app.features import FEATURES", FEATURES),
    "an event that shows an entity": (
        "features/shipments/integration_events",
        "from app.features.shipments.domain import Shipment", CONTRACTS),
    "a domain that knows HTTP": ("features/shipments/domain", "import fastapi", DOMAIN),
    "a domain that knows the broker": ("features/orders/domain", "import faststream", DOMAIN),
    "a domain that knows a framework by a building block": (
        "features/orders/domain", "from app.building_blocks.feature import Feature", DOMAIN),
    "a domain that publishes": (
        "features/shipments/domain",
        "from app.building_blocks.unit_of_work import UnitOfWork", DOMAIN),
    "a domain that calls a command": (
        "features/shipments/domain",
        "from app.features.shipments.ship_order import ShipOrder", DOMAIN),
    "a domain that asks queries": (
        "features/payments/domain",
        "from app.features.payments.queries import PaymentView", DOMAIN),
}  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with a third feature, which no rule names."""
    service = bake(tmp_path_factory.mktemp("rules"))
    check(service, "scaffold", "feature", "shipments")
    check(service, "scaffold", "command", "shipments", "ShipOrder", "--subscriber", "orders")
    check(service, "scaffold", "command", "orders", "ReturnOrder", "--subscriber", "shipments")
    return service


def lint(service: Path) -> str:
    """What import-linter finds; nothing when every rule holds."""
    done = lint_imports(service)
    assert re.search(r"Contracts: \d kept, \d broken", done.stdout), done.stdout
    return done.stdout if done.returncode else ""


def test_they_hold_with_a_third_feature(service: Path) -> None:
    assert not lint(service)


@pytest.mark.parametrize(("module", "line", "rule"), BREACHES.values(), ids=BREACHES)
def test_each_breach_is_found(service: Path, module: str, line: str, rule: str) -> None:
    file = service / "app" / f"{module}.py"
    before = file.read_text("utf-8")
    try:
        file.write_text(f"{before}\n{line}\n", "utf-8")
        found = lint(service)
    finally:
        file.write_text(before, "utf-8")
    broken = found.partition("Broken contracts")[2]
    assert rule in broken, found
    assert module.replace("/", ".") in broken


def test_they_hold_when_only_ones_own_features_are_left(service: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(service, tmp_path / "copy"))
    for sample in ("orders", "payments"):
        shutil.rmtree(copy / "app" / "features" / sample)
    (copy / "app/features/__init__.py").write_text("", "utf-8")
    for module in ("feature", "subscribers"):
        file = copy / "app/features/shipments" / f"{module}.py"
        lines = file.read_text("utf-8").splitlines()
        file.write_text("\n".join(line for line in lines if "orders" not in line), "utf-8")
    assert not lint(copy)
