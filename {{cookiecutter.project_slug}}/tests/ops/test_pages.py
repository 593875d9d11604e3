"""What the operator pages show of a real database, and what operators do with it."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import insert, select

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.operations import search
from app.building_blocks.operations.replica_table import replica_minutes, replicas
from app.building_blocks.operations.states import STATES
from app.building_blocks.outbox.table import outbox
from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import CONSUMER, NOW, TOKEN, TOPIC, Insert, visitor
from tests.ops.forms import fields_of
from tests.unreachable import unreachable


async def listed(client: AsyncClient, path: str, **query: str) -> list[str]:
    """The ids of the messages on a page of a list."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [part.partition("</code>")[0] for part in answer.text.split('"><b>')[1:]
            for part in part.split("<code>")[1:2]]  # fmt: skip


def next_of(page: str) -> dict[str, str]:
    """The query of the link to the next page; empty on the last one."""
    _, found, rest = page.partition('rel="next" href="')
    query = urlsplit(rest.partition('"')[0].replace("&amp;", "&")).query
    return {name: values[0] for name, values in parse_qs(query).items()} if found else {}


async def states_of(database: Database) -> dict[str, str]:
    async with database.reader.connect() as connection:
        rows = await connection.execute(select(inbox.c.message_id, inbox.c.state))
        return {row.message_id: row.state for row in rows}


async def test_the_overview_counts_what_waits_and_what_died(
    client: AsyncClient, database: Database, insert_inbox: Insert, insert_outbox: Insert
) -> None:
    for number in range(3):
        await insert_inbox(f"m{number}")
    await insert_outbox("o", created_at=None)
    async with database.begin() as connection:
        now = await database.now(connection)
        minute = now.replace(second=0, microsecond=0)
        one = {"replica": "r", "published": 1234, "handled": 5, "failed": 2, "dead": 1}
        await connection.execute(insert(replica_minutes).values(minute=minute, **one))
        for name, seen_at in (("alive", now), ("gone", now - timedelta(minutes=2))):
            await connection.execute(
                insert(replicas).values(
                    replica=name, host=f"{name}-host", process=7, started_at=now, seen_at=seen_at,
                    parts={"database": "", "broker": "no <b>answer</b>"},
                )
            )  # fmt: skip
    page = (await client.get("/ops")).text
    assert ">3</strong>" in page
    assert ">1</strong>" in page
    assert "1,234 in all" in page
    assert "1,234 published</title>" in page
    assert page.count("it has ended, or hangs") == 1
    assert "<b>broker</b>: no &lt;b&gt;answer&lt;/b&gt;" in page
    assert (await client.get("/ops?span=hour")).text.count('aria-current="true"') == 1
    assert (await client.get("/ops?span=nonsense")).status_code == 200


async def test_a_service_that_has_done_nothing_has_all_of_its_pages(client: AsyncClient) -> None:
    paths = [f"/ops/{state.box}/{state.name}" for state in STATES]
    for path in ("/ops", "/ops/subscriptions", "/ops/flow", *paths):
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert '<html lang="en">' in answer.text


async def test_a_list_holds_what_fits_its_filter(client: AsyncClient, insert_inbox: Insert) -> None:
    await insert_inbox("a", key="ada", handled_at=NOW)
    await insert_inbox("b", topic="payments.other.v1", handled_at=NOW - timedelta(hours=2))
    await insert_inbox("c", consumer="other", payload=b'{"customer": "50%_off"}',
                       handled_at=NOW - timedelta(hours=3))  # fmt: skip
    await insert_inbox("d", state="handled")
    path = "/ops/inbox/dead"
    assert await listed(client, path) == ["a", "b", "c"]
    assert await listed(client, path, key="ada") == ["a"]
    assert await listed(client, path, topic="payments.other.v1") == ["b"]
    assert await listed(client, path, consumer="other") == ["c"]
    assert await listed(client, path, text="50%_off") == ["c"]
    assert await listed(client, path, text="no answer") == ["a", "b", "c"]
    assert await listed(client, path, text="nowhere") == []
    assert await listed(client, path, since="2030-01-02T11:30") == ["a"]
    assert await listed(client, path, until="2030-01-02T12:30+01:00") == ["b", "c"]
    assert await listed(client, path, since="", key="", topic="") == ["a", "b", "c"]
    page = (await client.get(path, params={"key": "ada", "text": '"'})).text
    assert 'name="key" value="ada"' in page
    assert 'name="text" value="&#34;"' in page


async def test_the_pages_of_a_list_hold_each_message_once(
    client: AsyncClient, insert_outbox: Insert
) -> None:
    for number in range(120):
        await insert_outbox(f"m{number:03}", is_published=True)
    found, query = [], {"topic": TOPIC}
    while query:
        page = (await client.get("/ops/outbox/published", params=query)).text
        found += await listed(client, "/ops/outbox/published", **query)
        query = next_of(page)
    assert found == [f"m{number:03}" for number in reversed(range(120))]


async def test_a_search_that_stops_says_so_and_goes_on(
    client: AsyncClient, insert_outbox: Insert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SEARCHED", 10)
    for number in range(25):
        await insert_outbox(f"m{number:02}", is_published=True, key="odd" if number == 3 else "k")
    path, query, pages = "/ops/outbox/published", {"key": "odd"}, 0
    while not (found := await listed(client, path, **query)):
        page = (await client.get(path, params=query)).text
        assert "The search stopped" in page
        assert "Search further back" in page
        query, pages = next_of(page), pages + 1
    assert (found, pages) == (["m03"], 2)


async def test_a_message_shows_with_its_chain(
    client: AsyncClient, insert_inbox: Insert, insert_outbox: Insert
) -> None:
    chain = {"correlation_id": "c"}
    await insert_outbox("first", is_published=True, headers={"correlation-id": "c"}, **chain)
    await insert_inbox("first", state="handled", headers={"correlation-id": "c"}, **chain)
    caused = {"correlation-id": "c", "causation-id": "first", "tenant": "t"}
    await insert_outbox("second", is_published=True, headers=caused, **chain)
    await insert_inbox("second", headers=caused, payload=b'{"a":{"b":1}}', **chain)
    where = {"box": "inbox", "message_id": "second", "consumer": CONSUMER}
    page = (await client.get("/ops/message", params=where)).text
    assert "<pre" in page
    assert "{\n  &#34;a&#34;: {\n    &#34;b&#34;: 1" in page
    assert "TimeoutError: no answer" in page
    assert "<dt>tenant</dt><dd>t</dd>" in page
    assert page.count("<path") == 3
    assert page.count('<a href="/ops/message?') >= 4
    assert page.count(" current") == 1


async def test_headers_that_contradict_each_other_do_no_harm(
    client: AsyncClient, insert_outbox: Insert
) -> None:
    for one, other in (("a", "b"), ("b", "a"), ("self", "self")):
        headers = {"correlation-id": "c", "causation-id": other}
        await insert_outbox(one, is_published=True, headers=headers, correlation_id="c")
    answer = await client.get("/ops/message", params={"box": "outbox", "message_id": "a"})
    assert answer.status_code == 200
    assert answer.text.count("<path") == 1


async def test_a_long_chain_is_a_table(client: AsyncClient, insert_outbox: Insert) -> None:
    for number in range(70):
        headers = {"correlation-id": "c"}
        await insert_outbox(f"m{number}", is_published=True, headers=headers, correlation_id="c")
    page = (await client.get("/ops/message", params={"box": "outbox", "message_id": "m1"})).text
    assert "<svg" not in page
    assert page.count('<a href="/ops/message?') == 70


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


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ops/outbox/nonsense", 404), ("/ops/nonsense/dead", 404), ("/ops/inbox/waiting", 404),
        ("/ops/outbox/%3Cscript%3E", 404), ("/ops/message", 404),
        ("/ops/message?box=inbox&message_id=none", 404), ("/ops/message?box=x&message_id=y", 404),
        ("/ops/message?box=inbox&message_id=%00", 404),
        ("/ops/inbox/dead?after=nonsense", 422), ("/ops/inbox/dead?after=%C3%A9", 422),
        ("/ops/inbox/dead?after=WzFd", 422), ("/ops/outbox/dead?after=WyJhIl0=", 422),
        ("/ops/outbox/dead?after=WzFlMzBd", 422), ("/ops/outbox/dead?after=W3sgfV0=", 422),
        ("/ops/outbox/dead?after=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwXQ==", 422),
        ("/ops/outbox/dead?after=W251bGxd", 422), ("/ops/outbox/dead?after=NQ==", 422),
        ("/ops/outbox/dead?after=", 422),
        ("/ops/inbox/dead?since=yesterday", 422), ("/ops/inbox/dead?until=2030-13-01", 422),
        ("/ops/inbox/dead?since=0001-01-01T00:00%2B23:00", 422),
        ("/ops/inbox/dead?text=%00", 422), ("/ops/inbox/dead?key=" + "x" * 600, 422),
        ("/ops/inbox/dead?done=retry&count=-1", 200), ("/ops/inbox/dead?done=%3Cb%3E", 200),
        ("/ops/inbox/dead?text=%ED%A0%80", 200), ("/ops/inbox/dead?since=0001-01-01", 200),
        ("/ops/action?action=drop&box=inbox&state=dead", 404),
        ("/ops/action?action=retry&box=inbox&state=none", 404),
        ("/ops/action?action=retry&box=inbox&state=handled", 409),
        ("/ops/action", 404), ("/ops/static/..%2Fpages.py", 404), ("/ops/nowhere", 404),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_told_on_a_page(
    client: AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    assert "<h1>" in answer.text
    assert "<script>" not in answer.text


async def test_a_database_that_is_away_is_told_on_a_page(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    async with visitor(app) as client:
        await client.post("/ops/login", data={"token": TOKEN})
        for path in ("/ops", "/ops/inbox/dead", "/ops/message?box=inbox&message_id=1"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "The database cannot be used right now" in answer.text
            assert "content-security-policy" in answer.headers
        assert (await client.get("/ops/flow")).status_code == 200


async def test_an_unexpected_error_is_told_without_its_trace(
    app: FastAPI, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> Any:
        raise LookupError("hunter2")

    monkeypatch.setattr("app.building_blocks.ops.overview.slots_of", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await client.get("/ops")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "content-security-policy" in answer.headers
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["unexpected error"]


async def test_the_subscriptions_show_their_policies(client: AsyncClient) -> None:
    page = (await client.get("/ops/subscriptions")).text
    assert 'consumer=test-service.orders.when_payment_taken">orders.when_payment_taken</a>' in page
    assert "PaymentTakenIntegrationEvent" in page
    assert "DomainError" in page
    assert "0.01 s to 0.1 s" in page


async def test_the_flow_map_draws_every_step_and_leads_to_messages(client: AsyncClient) -> None:
    page = (await client.get("/ops/flow")).text
    assert page.count('<path class="edge') == page.count('<tr role="row"><td')
    assert f'<a href="/ops/outbox/published?topic={TOPIC}"' in page
    assert f'<a href="/ops/inbox/handled?consumer={CONSUMER}"' in page
    # Each command that a consumer sends is drawn a second time.
    assert page.count(" again") == 1 + 3


async def test_the_log_says_whether_there_are_pages(settings: Settings, database: Database) -> None:
    for token, says in ((None, "set OPS_TOKEN"), (settings.ops_token, "operator pages are on")):
        app = create_app(settings.model_copy(update={"ops_token": token, "log_level": "INFO"}))
        with structlog.testing.capture_logs() as logs:
            async with app.router.lifespan_context(app):
                pass
        assert len([line for line in logs if says in line["event"]]) == 1
