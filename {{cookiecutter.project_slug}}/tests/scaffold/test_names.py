"""What cannot be a name is refused with a reason; what can be is put into each form."""

from pathlib import Path

import pytest

from app.building_blocks.aggregate import AggregateRoot
from scaffold.commands import add_command
from scaffold.features import REGISTER, add_feature
from scaffold.names import METHODS, RefusedError, event_of, past, singular
from tests.scaffold.files import contents


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "such as 'shipments'"),
        ("Return-Labels", "such as 'return_labels'"),
        ("../x", "cannot name a feature"),
        ("größe", "cannot name a feature"),
        ("class", "word of Python"),
        ("returns", "see --aggregate"),
        ("health", "machinery"),
        ("uows", "machinery"),
        ("x" * 60, "more than 30 characters"),
        ("commands", "two meanings of Command"),
    ],
)
def test_what_cannot_name_a_feature_is_refused(root: Path, name: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        add_feature(root, name)


@pytest.mark.parametrize(
    ("feature", "command", "event", "reason"),
    [
        ("parcels", "ShipOrder", "", "no feature 'parcels' beside shipments"),
        ("shipments", "ship_order", "", "such as ShipOrder"),
        ("shipments", "Ship", "", "one word"),
        ("shipments", "ShipOrder", "ShipOrder", "no domain event"),
        ("shipments", "ShipOrder", "ShipmentCreated", "has ShipmentCreated already"),
        ("shipments", "GetShipment", "", "has GetShipment already"),
        ("shipments", "PullEvents", "", "has 'pull_events' already"),
        ("shipments", "ShipOrder", "Order" * 9, "more than 35 characters"),
    ],
)
def test_what_cannot_name_a_command_is_refused(
    shipping: Path, feature: str, command: str, event: str, reason: str
) -> None:
    before = contents(shipping)
    with pytest.raises(RefusedError, match=reason):
        add_command(shipping, feature, command, event)
    assert contents(shipping) == before


def test_a_feature_is_no_subscriber_of_its_own(shipping: Path) -> None:
    with pytest.raises(RefusedError, match="cannot subscribe to itself"):
        add_command(shipping, "shipments", "ShipOrder", subscribers=["shipments"])


def test_a_file_that_is_no_python_is_named(root: Path) -> None:
    (root / REGISTER).write_text("FEATURES = (\n", "utf-8")
    with pytest.raises(RefusedError, match=r"__init__\.py cannot be read"):
        add_feature(root, "shipments")


def test_no_method_is_named_as_one_that_every_aggregate_has() -> None:
    words = {name for name in dir(AggregateRoot) if not name.startswith("_") and "_" not in name}
    assert words <= METHODS


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("shipments", "shipment"),
        ("categories", "category"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("return_labels", "return_label"),
        ("billing", "billing"),
        ("status", "status"),
    ],
)
def test_an_aggregate_is_one_of_what_the_feature_is_named_for(plural: str, one: str) -> None:
    assert singular(plural) == one


def test_an_event_is_named_after_the_command() -> None:
    assert event_of("ShipOrder") == "OrderShipped"
    verbs = ["cancel", "pay", "deliver", "close", "carry", "send", "refund", "return"]
    assert [past(verb) for verb in verbs] == [
        "cancelled", "paid", "delivered", "closed", "carried", "sent", "refunded", "returned",
    ]  # fmt: skip
