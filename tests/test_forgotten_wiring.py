"""What an owner forgets to wire is told by the process that starts, in sentences, and no trace."""

from pathlib import Path

import pytest
from bakery import bake
from service import check, run

PAYMENTS_ARE_FORGOTTEN = (
    "app/features/payments is not in FEATURES: add its feature to app/features/__init__.py, "
    "or delete the folder."
)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A fresh service that its owner has yet to change."""
    return bake(tmp_path / "forgotten")


def change(file: Path, old: str, new: str) -> None:
    """Put `new` in the place of `old`, which has to be there."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def refused(service: Path, *command: str, **settings: str) -> list[str]:
    """The lines that a process writes, which has to fail."""
    done = run(service, *command, **settings)
    assert done.returncode == 1, done.stdout[-6000:]
    return done.stdout.splitlines()


def test_all_that_is_forgotten_is_told_when_the_service_starts(service: Path) -> None:
    features = service / "app/features"
    change(features / "__init__.py", "(orders, payments)", "(orders,)")
    change(features / "orders/feature.py", "orders.publish(OrderPaid, convert_order_paid)\n", "")
    (features / "orders/drop_order.py").write_text(
        "from app.building_blocks.messages import Command\n\n\n"
        "class DropOrder(Command[None]):\n    pass\n",
        "utf-8",
    )
    assert refused(service, "uvicorn", "app.main:app", "--port", "0") == [
        f"Cannot start: {PAYMENTS_ARE_FORGOTTEN}",
        "Cannot start: DropOrder has no handler: add a line to its feature's feature.py.",
        "Cannot start: convert_order_paid in app/features/orders/converters.py is not published: "
        "add orders.publish(OrderPaid, convert_order_paid) to its feature.py, "
        "or begin its name with _ if it is a helper.",
    ]


def test_a_scaffolded_feature_that_is_not_registered_is_told(service: Path) -> None:
    register = service / "app/features/__init__.py"
    before = register.read_text("utf-8")
    check(service, "scaffold", "feature", "shipments")
    register.write_text(before, "utf-8")
    told = refused(service, "uvicorn", "app.main:app", "--port", "0")
    assert told == [f"Cannot start: {PAYMENTS_ARE_FORGOTTEN.replace('payments', 'shipments')}"]


def test_no_migration_is_written_while_a_feature_is_forgotten(
    service: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'forgotten.db'}"
    versions = sorted((service / "migrations/versions").iterdir())
    check(service, "alembic", "upgrade", "head", DATABASE_URL=url)
    change(service / "app/features/__init__.py", "(orders, payments)", "(orders,)")
    make = ("revision", "--autogenerate", "-m", "drops the table of the payments")
    assert refused(service, "alembic", *make, DATABASE_URL=url) == [PAYMENTS_ARE_FORGOTTEN]
    assert sorted((service / "migrations/versions").glob("*.py")) == versions


def test_a_migration_knows_the_table_in_a_module_that_nothing_imports(
    service: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'unseen.db'}"
    check(service, "alembic", "upgrade", "head", DATABASE_URL=url)
    (service / "app/features/orders/returns.py").write_text(
        "from app.building_blocks.aggregate import AggregateRoot\n\n\n"
        'class Return(AggregateRoot, table=True):\n    __tablename__ = "returns"\n',
        "utf-8",
    )
    check(service, "alembic", "revision", "--autogenerate", "-m", "returns", DATABASE_URL=url)
    [migration] = (service / "migrations/versions").glob("*returns.py")
    assert "'returns'" in migration.read_text("utf-8").replace('"', "'")
