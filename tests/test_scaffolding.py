"""`make feature` and `make command`: what they write works at once, or they write nothing."""

from pathlib import Path

import pytest
from bakery import bake, contents
from conftest import Baked
from make import install, make
from service import Service, run, wait_until

# Between new features, from an old one to an old and a new one, between two old ones, and one that
# only a subscriber is to send.
COMMANDS = (
    ("FEATURE=shipments", "NAME=ShipOrder", "EVENT=OrderSent", "SUBSCRIBER=invoices"),
    ("FEATURE=orders", "NAME=ReturnOrder", "SUBSCRIBER=payments shipments"),
    ("FEATURE=payments", "NAME=RefundPayment", "SUBSCRIBER=orders"),
    ("FEATURE=invoices", "NAME=PayInvoice", "ROUTE=no"),
)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A fresh service with its tools."""
    service = bake(tmp_path / "scaffolding")
    install(service)
    return service


def made(service: Path, *arguments: str, **settings: str) -> str:
    """Run make, which has to succeed; gives what it wrote."""
    done = make(service, *arguments, **settings)
    assert done.returncode == 0, f"make {' '.join(arguments)}:\n{done.stdout[-6000:]}"
    return done.stdout


def test_what_is_added_passes_every_check_and_works_over_http(
    service: Path, tmp_path: Path
) -> None:
    database_url = f"sqlite:///{tmp_path / 'scratch.db'}"
    for name in ("shipments", "invoices"):
        written = made(service, "feature", f"NAME={name}")
        assert f"new      app/features/{name}/domain.py" in written
        assert f'make migration NAME="add {name}"' in written
    for command in COMMANDS:
        written = made(service, "command", *command)
        assert "BY HAND" not in written
        assert "\nNext:\n1. write the rule into " in written

    migrated = {"DATABASE_URL": database_url}
    assert "add_shipments.py" in made(service, "migration", "NAME=add shipments", **migrated)
    made(service, "migrate", **migrated)
    made(service, "lint")
    made(service, "types")
    tests = run(service, "pytest", "-q", "-p", "no:cacheprovider", "tests/features")
    assert tests.returncode == 0, tests.stdout[-6000:]

    with Service(service, database_url, "memory://") as running:
        shipment = running.post("/shipments", {}).json()["id"]
        assert running.get(f"/shipments/{shipment}").json() == {"id": shipment}
        assert running.post(f"/shipments/{shipment}/ship-order").status_code == 204
        wait_until(lambda: heard(running, "order sent", shipment) == 1, "invoices has acted")
        order = running.post("/orders", {"customer": "ada", "amount": "1.00"}).json()["id"]
        assert running.post(f"/orders/{order}/return").status_code == 204
        wait_until(lambda: heard(running, "order returned", order) == 2, "both have acted")
        assert running.post(f"/shipments/{order}/ship-order").status_code == 404
        paths = running.get("/openapi.json").json()["paths"]
        assert "/shipments/{shipment_id}/ship-order" in paths
        assert not [path for path in paths if path.endswith("/pay")]


def test_names_that_begin_with_test_are_no_tests_to_pytest(service: Path) -> None:
    made(service, "feature", "NAME=testimonials")
    made(service, "command", "FEATURE=payments", "NAME=TestPayment")
    collected = run(
        service, *("pytest", "-q", "-p", "no:cacheprovider", "--collect-only"),
        *("tests/features/testimonials", "tests/features/payments/test_test_payment.py"),
    )  # fmt: skip
    assert collected.returncode == 0, collected.stdout[-6000:]
    assert "test_create_testimonial" in collected.stdout


def heard(service: Service, event: str, key: str) -> int:
    """How many subscribers have logged the event."""
    return sum(event in line and key in line for line in service.log.splitlines())


def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(baked: Baked) -> None:
    service = baked("sqlite", "memory")
    before = contents(service)
    refused = (
        ("feature", "orders"),
        ("feature", "Return-Labels"),
        ("feature", "../elsewhere"),
        ("command", "nowhere", "ShipOrder"),
        ("command", "orders", "CancelOrder"),
        ("command", "orders", "ShipOrder", "--subscriber", "nobody"),
    )
    for arguments in refused:
        done = run(service, "scaffold", *arguments)
        assert done.returncode == 2, arguments
        [sentence] = done.stdout.splitlines()
        assert len(sentence.split()) > 6, sentence
        assert sentence.endswith("."), sentence
    assert contents(service) == before


def test_the_help_teaches_by_an_example(baked: Baked) -> None:
    service = baked("sqlite", "memory")
    for command, example in {
        "feature": "python -m scaffold feature shipments",
        "command": "python -m scaffold command shipments ShipOrder --subscriber orders",
    }.items():
        done = run(service, "scaffold", command, "--help")
        assert done.returncode == 0
        assert example in done.stdout
