"""No log line holds what is in a message, whatever goes wrong with it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import column, insert, select

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.http.mediator import HttpMediator
from app.building_blocks.inbox.table import inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.retry_policy import RetryPolicy
from app.features.orders.create_order import CreateOrder
from app.features.orders.domain import Order
from app.settings import Settings
from tests.guarantees.brokers import NoteIntegrationEvent, Service, publish
from tests.shop import Shop
from tests.waiting import eventually
from tests.written import Log, written_log

SECRET = "correct-horse"
ORDER = {"customer": SECRET, "amount": "1.00"}


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    with written_log(capsys) as log:
        yield log


class Answer(BaseModel):
    number: int


def leaking() -> Feature:
    """A route whose answer does not fit its model, and one that raises with a value."""
    router = APIRouter(prefix="/leaks")

    @router.get("/answer", response_model=Answer)
    async def answer() -> dict[str, str]:
        return {"number": SECRET}

    @router.get("/statement")
    async def statement(mediator: HttpMediator) -> None:
        async with mediator.unit_of_work() as uow:
            await (await uow.connection()).execute(insert(Order).values(customer=SECRET))

    return Feature("leaks", router=router)


async def test_no_log_line_holds_what_is_in_a_message(
    settings: Settings, database: Database, log: Log
) -> None:
    service = Service(settings, database, "memory")

    async def not_valid(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        CreateOrder.model_validate({"customer": "", "amount": event.text})

    async def not_a_statement(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        wrong = column("no_such_column") == event.text
        async with mediator.database.reader.connect() as connection:
            await connection.execute(select(Order).where(wrong))

    async def raises(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        raise LookupError("no such thing")

    feature = service.feature(
        not_valid, not_a_statement, raises, retry=RetryPolicy(1, base_delay=0.01)
    )
    look: dict[str, Any] = {"log_level": "DEBUG", "log_format": "json"}
    async with service.running(feature, **look) as app:
        await publish(app, service.note(text=SECRET))
        unreadable = service.message(
            json.dumps({"number": SECRET}).encode(), {"ce-id": "1", "ce-type": service.topic}
        )
        await app.state.broker.publish(unreadable)
        with pytest.raises(Exception, match="the limit is"):
            await publish(app, service.note(text=SECRET * 100_000))

        async def all_dead() -> bool:
            async with database.reader.connect() as connection:
                states = list(await connection.scalars(select(inbox.c.state)))
            return states == ["dead"] * 6

        await eventually(all_dead, what="six dead letters")
    failures = log.lines("handler failed", "dead letter")
    assert {line["event"] for line in failures} == {"handler failed", "dead letter"}
    assert all({"message_id", "consumer", "correlation_id"} <= set(line) for line in failures)
    assert SECRET not in log.text


async def test_no_answer_of_the_service_brings_values_into_the_log(
    settings: Settings, database: Database, log: Log
) -> None:
    async with Shop(settings, features=[leaking()]).serving(log_format="json") as client:
        assert (await client.post("/orders", json={"customer": SECRET})).status_code == 422
        assert (await client.get("/leaks/answer")).status_code == 500
        assert (await client.get("/leaks/statement")).status_code == 500
    assert log.lines("an answer does not fit its model")
    assert log.lines("unexpected error")
    assert SECRET not in log.text
