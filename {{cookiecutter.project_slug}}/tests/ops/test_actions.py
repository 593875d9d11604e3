"""What operators do to one message or to many, once they have confirmed it."""

import pytest
import structlog
from httpx import AsyncClient
from sqlalchemy import select

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.outbox.table import outbox
from tests.ops.conftest import CONSUMER, NOW, Insert
from tests.ops.forms import fields_of


async def states_of(database: Database) -> dict[str, str]:
    async with database.reader.connect() as connection:
        rows = await connection.execute(select(inbox.c.message_id, inbox.c.state))
        return {row.message_id: row.state for row in rows}


@pytest.mark.parametrize(
    ("action", "box", "state", "ends_in"),
    [
        ("retry", "inbox", "dead", "retrying"),
        ("retry", "inbox", "retrying", "retrying"),
        ("discard", "inbox", "dead", "discarded"),
    ],
)
async def test_a_confirmed_action_is_done_to_one_message(
    client: AsyncClient, database: Database, insert_inbox: Insert,
    action: str, box: str, state: str, ends_in: str,
) -> None:  # fmt: skip
    for name in ("one", "other"):
        await insert_inbox(name, state=state, next_attempt_at=NOW)
    where = {"message_id": "one", "consumer": CONSUMER}
    page = await client.get(
        "/ops/action", params={"action": action, "box": box, "state": state} | where
    )
    assert "<b>1</b> message" in page.text
    assert await states_of(database) == {"one": state, "other": state}
    form = fields_of(page.text, "/ops/action") | {"sure": "yes"}
    with structlog.testing.capture_logs() as logs:
        answer = await client.post("/ops/action", data=form)
    assert answer.status_code == 303
    assert await states_of(database) == {"one": ends_in, "other": state}
    [line] = [line for line in logs if line.get("by")]
    assert (line["by"], line["messages"], line["box"]) == ("ops page, 192.0.2.1", 1, "inbox")
    after = await client.get(answer.headers["location"])
    assert after.status_code == 200
    assert '<p class="result" role="status">1 message is' in after.text


async def test_a_confirmed_action_is_done_to_all_that_fit(
    client: AsyncClient, database: Database, insert_inbox: Insert
) -> None:
    for number in range(5):
        await insert_inbox(f"m{number}", key="ada" if number < 3 else "bob")
    query = {"action": "retry", "box": "inbox", "state": "dead", "key": "ada"}
    page = await client.get("/ops/action", params=query)
    assert "<b>3</b> messages" in page.text
    answer = await client.post("/ops/action", data=fields_of(page.text, "/ops/action"))
    assert answer.headers["location"] == "/ops/inbox/dead?key=ada&done=retry&count=3"
    states = await states_of(database)
    assert [states[f"m{number}"] for number in range(5)] == ["retrying"] * 3 + ["dead"] * 2


async def test_outbox_messages_can_be_published_now_or_discarded(
    client: AsyncClient, database: Database, insert_outbox: Insert
) -> None:
    await insert_outbox("refused", state="dead", attempts=11)
    await insert_outbox("waiting")
    for action, state in (("retry", "dead"), ("discard", "waiting")):
        query = {"action": action, "box": "outbox", "state": state}
        names = {"retry": "refused", "discard": "waiting"}
        page = await client.get("/ops/action", params=query | {"message_id": names[action]})
        form = fields_of(page.text, "/ops/action") | {"sure": "yes"}
        answer = await client.post("/ops/action", data=form)
        after = await client.get(answer.headers["location"])
        assert "1 message is" in after.text
    async with database.reader.connect() as connection:
        rows = (await connection.execute(select(outbox))).all()
    assert [(row.message_id, row.state, row.attempts) for row in rows] == [
        ("refused", "waiting", 0)
    ]


async def test_nothing_is_discarded_without_a_tick(
    client: AsyncClient, database: Database, insert_inbox: Insert
) -> None:
    await insert_inbox("m")
    query = {"action": "discard", "box": "inbox", "state": "dead"}
    page = (await client.get("/ops/action", params=query)).text
    answer = await client.post("/ops/action", data=fields_of(page, "/ops/action"))
    assert answer.status_code == 422
    assert await states_of(database) == {"m": "dead"}


async def test_who_comes_second_is_told_that_nothing_was_left(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    await insert_inbox("m")
    query = {"action": "retry", "box": "inbox", "state": "dead"}
    form = fields_of((await client.get("/ops/action", params=query)).text, "/ops/action")
    await client.post("/ops/action", data=form)
    answer = await client.post("/ops/action", data=form)
    after = await client.get(answer.headers["location"])
    assert "Nothing was changed" in after.text
    assert "No message fits any more" in (await client.get("/ops/action", params=query)).text
