"""A change of the tables without its migration: the service's tests say so once, and stop."""

from pathlib import Path

from bakery import bake
from service import run

PARCEL = """

class Parcel(AggregateRoot, table=True):
    __tablename__ = "parcels"
"""


def test_it_is_named_in_one_sentence_with_the_command_to_run(tmp_path: Path) -> None:
    service = bake(tmp_path / "forgotten")
    domain = service / "app/features/payments/domain.py"
    text = domain.read_text("utf-8")
    assert text.count("    order_id: UUID = ") == 1
    changed = text.replace("    order_id: UUID = ", "    note: str | None\n    order_id: UUID = ")
    domain.write_text(changed + PARCEL, "utf-8")

    done = run(service, "pytest", "-q", "-p", "no:cacheprovider", "tests/features")
    assert done.returncode == 1
    [told] = [line for line in done.stdout.splitlines() if "migration" in line]
    assert "add table parcels and add column payments.note." in told
    assert 'make migration NAME="what changed"' in told
    assert "Traceback" not in done.stdout
    assert "failed" not in done.stdout
    assert "error" not in done.stdout
