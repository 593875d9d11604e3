"""What the scaffold adds is where an owner would put it, or told, and never half of it."""

import ast
from pathlib import Path

import pytest

from scaffold.changes import Changes
from scaffold.commands import add_command
from scaffold.features import REGISTER, add_feature
from scaffold.names import RefusedError
from tests.scaffold.files import change, contents

FEATURE = "app/features/shipments"


def written(changes: Changes) -> Changes:
    changes.write()
    return changes


def test_a_feature_is_added_with_its_tests_and_registered(root: Path) -> None:
    changes = written(add_feature(root, "return_labels"))
    assert changes.changed == [REGISTER]
    assert "app/features/return_labels/create_return_label.py" in changes.new
    assert "tests/features/return_labels/test_create_return_label.py" in changes.new
    after = contents(root)
    assert after[REGISTER].endswith(
        "from app.features.return_labels.feature import return_labels\n\n"
        "FEATURES = (return_labels,)\n"
    )
    assert 'prefix="/return-labels"' in after["app/features/return_labels/api.py"]
    for path in changes.new:
        ast.parse(after[path])


def test_a_command_is_put_where_its_owner_would_put_it(root: Path) -> None:
    written(add_feature(root, "shipments"))
    written(add_feature(root, "invoices"))
    domain, last = f"{FEATURE}/domain.py", "        return shipment\n"
    change(root, domain, last, f"{last}\n    def _own(self) -> None: ...\n")
    changes = written(add_command(root, "shipments", "CancelShipment", subscribers=["invoices"]))
    assert not changes.by_hand
    after = contents(root)
    assert (
        "    def cancel(self) -> None:\n"
        "        self.record(ShipmentCancelled(shipment_id=self.id))\n\n"
        "    def _own"
    ) in after[domain]
    assert (
        "shipments.handle(CreateShipment, create_shipment)\n"
        "shipments.handle(CancelShipment, cancel_shipment)\n\n"
    ) in after[f"{FEATURE}/feature.py"]
    assert after["app/features/invoices/feature.py"].endswith(
        "\n\ninvoices.subscribe(ShipmentCancelledIntegrationEvent, when_shipment_cancelled)\n"
    )


def test_a_second_run_is_refused_and_changes_nothing(root: Path) -> None:
    written(add_feature(root, "shipments"))
    written(add_command(root, "shipments", "ShipOrder"))
    before = contents(root)
    with pytest.raises(RefusedError, match="app/features/shipments is there already"):
        add_feature(root, "shipments")
    with pytest.raises(RefusedError, match=r"ship_order\.py has ShipOrder already"):
        add_command(root, "shipments", "ShipOrder")
    assert contents(root) == before


def test_lines_whose_place_is_not_found_are_left_to_the_owner(root: Path) -> None:
    change(root, REGISTER, "FEATURES = ()", "FEATURES = tuple(())")
    [left] = written(add_feature(root, "shipments")).by_hand
    assert "from app.features.shipments.feature import shipments" in left
    change(root, f"{FEATURE}/feature.py", "= Feature(", "= make(")
    change(root, f"{FEATURE}/api.py", "router = ", "routes = ")
    before = contents(root)
    wiring, route = written(add_command(root, "shipments", "ShipOrder")).by_hand
    assert "    shipments.handle(ShipOrder, ship_order)\n" in wiring
    assert "@router.post(" in route
    for path in (f"{FEATURE}/feature.py", f"{FEATURE}/api.py"):
        assert contents(root)[path] == before[path]


def test_a_route_below_a_parameter_is_left_to_the_owner(root: Path) -> None:
    written(add_feature(root, "shipments"))
    change(root, f"{FEATURE}/api.py", '"/shipments"', '"/depots/{depot_id}/shipments"')
    before = contents(root)
    changes = written(add_command(root, "shipments", "ShipOrder"))
    [route] = changes.by_hand
    assert "@router.post(" in route
    after = contents(root)
    assert after[f"{FEATURE}/api.py"] == before[f"{FEATURE}/api.py"]
    assert "client.post" not in after["tests/features/shipments/test_ship_order.py"]


def test_a_command_that_only_subscribers_send_has_no_route(root: Path) -> None:
    written(add_feature(root, "shipments"))
    before = contents(root)
    changes = written(add_command(root, "shipments", "ShipOrder", route=False))
    assert not changes.by_hand
    assert f"send it from a subscriber: {FEATURE}/subscribers.py" in changes.next_steps
    after = contents(root)
    assert after[f"{FEATURE}/api.py"] == before[f"{FEATURE}/api.py"]
    test = after["tests/features/shipments/test_ship_order.py"]
    assert "test_it_is_told_to_the_world" in test
    assert "client.post" not in test


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("trouble", ["no folder", "ruff fails", "an interrupt"])
def test_when_writing_fails_everything_is_as_it_was(
    root: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "no folder":
        (root / "tests").write_text("a file in its place", "utf-8")
    elif trouble == "ruff fails":
        monkeypatch.setattr("scaffold.writing.RUFF", (["format"], ["no such step"]))
    else:
        monkeypatch.setattr("subprocess.run", interrupt)
    before = contents(root)
    with pytest.raises((RefusedError, KeyboardInterrupt)):
        add_feature(root, "shipments").write()
    assert contents(root) == before
