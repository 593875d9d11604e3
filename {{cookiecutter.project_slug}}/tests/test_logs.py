"""Log lines tell whose they are, in a form that people or machines can read."""

import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.building_blocks.carriers import Carrier, Carriers
from app.building_blocks.context import carrying
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.attempts import Attempts
from app.building_blocks.inbox.dead_letters import DeadLetter
from app.building_blocks.inbox.faults import TransactionLostError
from app.building_blocks.inbox.run import Run
from app.building_blocks.inbox.table import inbox
from app.building_blocks.logs import configure_logs
from app.building_blocks.mediator import Mediator
from app.building_blocks.unit_of_work import UnitOfWork
from app.features.orders.integration_events import OrderCreatedIntegrationEvent
from app.settings import Settings
from tests.guarantees.consuming import consumer_of, order_created
from tests.shop import Shop
from tests.waiting import eventually
from tests.written import Log, written_log

SECRET = "correct-horse"
ORDER = {"customer": SECRET, "amount": "1.00"}


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    with written_log(capsys) as log:
        yield log


async def test_every_line_in_a_request_or_a_handler_tells_whose_it_is(
    settings: Settings, database: Database, log: Log
) -> None:
    shop = Shop(settings)
    headers = {"Authorization": "acme", "X-Request-ID": "seven"}
    look: dict[str, Any] = {"log_level": "INFO", "log_format": "json", "environment": "canary"}
    async with shop.serving(**look) as client:
        await client.post("/shop", json=ORDER, headers=headers)

        async def seen() -> bool:
            return bool(shop.contexts)

        await eventually(seen, what="the handler")
    [request] = log.lines("ordering")
    [handler] = log.lines("seen")
    for line in request, handler:
        said = (line["correlation_id"], line["tenant"], line["environment"])
        assert said == ("seven", "acme", "canary")
    assert handler["consumer"] == "test-service.shop.when_order_created"
    assert handler["message_id"] == handler["causation_id"]


@pytest.mark.parametrize("name", ["uvicorn.access", "sqlalchemy.engine", "somebodys.library"])
def test_lines_of_other_loggers_tell_it_too(log: Log, name: str) -> None:
    configure_logs("INFO", "json")
    logger = logging.getLogger(name)
    with carrying({"correlation-id": "seven", "tenant": "acme"}, Carriers((Carrier("tenant"),))):
        logger.warning("%s happened", "something")
    logger.warning("later")
    inside, outside = log.lines()
    assert (inside["event"], inside["logger"]) == ("something happened", name)
    assert (inside["correlation_id"], inside["tenant"]) == ("seven", "acme")
    assert "correlation_id" not in outside


def test_json_is_one_object_a_line_whatever_is_logged(log: Log) -> None:
    configure_logs("INFO", "json")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        structlog.get_logger("app").exception("failed", odd=object())
    logging.getLogger("other").warning("two\nlines")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("look out", UserWarning, stacklevel=1)
    failed, other, warning = log.lines()
    assert "ValueError: two" in failed["exception"]
    assert other["event"] == "two\nlines"
    assert "look out" in warning["event"]


@pytest.mark.parametrize(("no_colour", "has_escapes"), [("", True), ("1", False)])
def test_colours_can_be_turned_off(
    log: Log, monkeypatch: pytest.MonkeyPatch, no_colour: str, has_escapes: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logs("INFO", "console")
    structlog.get_logger("app").info("hello")
    assert ("\x1b[" in log.text) is has_escapes


def test_debug_is_for_the_service_and_not_for_its_drivers(log: Log) -> None:
    configure_logs("DEBUG", "json")
    logging.getLogger("app.features").debug("mine")
    logging.getLogger("some.driver").debug("executing with %s", SECRET)
    assert [line["event"] for line in log.lines()] == ["mine"]


async def test_a_retry_that_lost_its_transaction_tells_whose_it_is(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(event: OrderCreatedIntegrationEvent, mediator: Mediator) -> None:
        raise ValueError("not now")

    async def lost(self: Attempts, uow: UnitOfWork, run: Run) -> list[DeadLetter]:
        raise TransactionLostError(ValueError("not now either"))

    configure_logs("INFO", "json")
    consumer, message = consumer_of(database, fails), order_created(None)
    await consumer.receive(message)
    async with database.begin() as connection:
        await connection.execute(inbox.update().values(next_attempt_at=inbox.c.received_at))
    monkeypatch.setattr(Attempts, "make", lost)
    message_id = message.headers["ce-id"]
    assert await consumer.retry(message_id)
    first, second = log.lines("handler failed")
    for line in first, second:
        assert (line["message_id"], line["correlation_id"]) == (message_id, message_id)
    assert second["attempts"] == 2
