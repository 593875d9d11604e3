"""A wrong environment: the service does not start and says what to do, a sentence a problem."""

from pathlib import Path

import pytest
from conftest import Baked
from service import Service, run, wait_until

WRONG = {
    "another database": {"DATABASE_URL": "oracle://somewhere/orders"},
    "no URL": {"DATABASE_URL": "somewhere"},
    "another broker": {"BROKER_URL": "zeromq://127.0.0.1/"},
    "a negative limit": {"RETRY_MAX_RETRIES": "-1"},
    "no number": {"OUTBOX_POLL_INTERVAL": "often"},
    "all at once": {
        "DATABASE_URL": "oracle://somewhere/orders",
        "BROKER_URL": "zeromq://127.0.0.1/",
        "RETRY_MAX_RETRIES": "-1",
        "LOG_FORMAT": "pretty",
    },
}


def start(folder: Path, **settings: str) -> str:
    """Start a service that must refuse to; gives what it wrote."""
    done = run(folder, "uvicorn", "app.main:app", "--port", "0", **settings)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


@pytest.mark.parametrize("settings", WRONG.values(), ids=WRONG)
def test_each_wrong_setting_is_one_sentence(
    settings: dict[str, str], baked: Baked, tmp_path: Path
) -> None:
    database = {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"}
    written = start(baked("sqlite", "memory"), **database | settings)
    for name in settings:
        [sentence] = [line for line in written.splitlines() if name in line]
        assert len(sentence.split()) > 4
        assert sentence.rstrip().endswith(".")


def test_a_database_that_was_not_migrated_names_the_command(baked: Baked, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    [sentence] = [
        line
        for line in start(baked("sqlite", "memory"), DATABASE_URL=url).splitlines()
        if "alembic upgrade head" in line
    ]
    assert "database" in sentence.lower()


def test_a_database_that_is_away_is_told_by_readiness(baked: Baked, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'no such folder' / 'scratch.db'}"
    with Service(baked("sqlite", "memory"), url, "memory://").started(ready=False) as service:
        assert service.get("/health/live").status_code == 200
        answer = service.get("/health/ready")
        assert answer.status_code == 503
        assert "database" in answer.text
        assert "Traceback" not in answer.text


def test_every_service_runs_with_the_broker_in_memory(baked: Baked, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'scratch.db'}"
    with Service(baked("sqlite", "rabbitmq"), url, "memory://") as service:
        order = service.post("/orders", {"customer": "ada", "amount": "12.50"}).json()
        wait_until(lambda: service.order_status(order["id"]) == "paid", "the order is paid")
