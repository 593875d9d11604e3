"""The README's recipe for a command, its event and a subscriber, applied as it is written."""

import subprocess
import sys
from pathlib import Path

import httpx
from bakery import bake, contents
from make import install
from markdown import Block, blocks
from service import Service, check, wait_until
from shell import README_PORT, shell


def recipe(service: Path) -> list[Block]:
    """The blocks of the section."""
    section = "Add a command, its event and a subscriber"
    return [block for block in blocks(service / "README.md") if block.heading == section]


def apply_recipe(service: Path) -> None:
    """Do what the section says to the files: patches and new ones."""
    for block in recipe(service):
        if block.kind == "diff":
            # A repository above must not make git skip these files as foreign.
            subprocess.run(
                ["git", "apply", "--unidiff-zero", "-"],
                input=block.text, text=True, cwd=service, check=True,
                env={"GIT_CEILING_DIRECTORIES": str(service.parent), "PATH": "/usr/bin:/bin"},
            )  # fmt: skip
        elif block.kind == "python":
            assert block.path is not None
            new_file = service / block.path
            assert not new_file.exists(), f"{block.path} exists already"
            new_file.write_text(block.text, "utf-8")


def test_the_recipe_for_refund_payment_works_and_touches_only_two_features(tmp_path: Path) -> None:
    service = bake(tmp_path / "recipe")
    before = contents(service)
    apply_recipe(service)
    database_url = f"sqlite:///{tmp_path / 'recipe.db'}"
    check(service, "alembic", "upgrade", "head", DATABASE_URL=database_url)
    migrate, refund = (block.text for block in recipe(service) if block.kind == "sh")
    install(service)
    shell(service, migrate, DATABASE_URL=database_url, RUFF_NO_CACHE="true")
    now = contents(service).items()
    changed = {path for path, text in now if before.get(path) != text and ".venv/" not in path}
    features = ("app/features/orders/", "app/features/payments/")
    [migration] = sorted(path for path in changed if not path.startswith(features))
    assert migration.startswith("migrations/versions/")

    check(service, "ruff", "check", "--no-cache", ".")
    check(service, "ruff", "format", "--no-cache", "--check", ".")
    check(service, "mypy", ".")
    with Service(service, database_url, "memory://") as running:
        check(service, "alembic", "check", DATABASE_URL=database_url)
        with httpx.Client(base_url=running.url) as client:
            order = client.post("/orders", json={"customer": "ada", "amount": "9.99"}).json()
            wait_for(client, order["id"], "paid")
            [payment] = client.get("/payments", params={"order_id": order["id"]}).json()
            told = refund.replace("ORDER_ID", order["id"]).replace("PAYMENT_ID", payment["id"])
            answer = shell(service, told.replace(f"http://{README_PORT}", running.url))
            assert payment["id"] in answer.splitlines()[0]
            assert "204 No Content" in answer
            wait_for(client, order["id"], "refunded")
            assert client.post(f"/payments/{payment['id']}/refund").status_code == 409


def test_a_forgotten_line_is_named_when_the_service_starts(tmp_path: Path) -> None:
    service = bake(tmp_path / "forgotten")
    apply_recipe(service)
    feature = service / "app/features/payments/feature.py"
    line = "payments.handle(RefundPayment, refund_payment)\n"
    assert line in feature.read_text("utf-8")
    feature.write_text(feature.read_text("utf-8").replace(line, ""), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import app.main"],
        cwd=service,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert "RefundPayment has no handler" in done.stderr
    assert "Traceback" not in done.stderr


def wait_for(client: httpx.Client, order_id: str, status: str) -> None:
    wait_until(
        lambda: client.get(f"/orders/{order_id}").json()["status"] == status, f"order {status}"
    )
