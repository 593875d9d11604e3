"""What an event marks as secret shows on no page, and neither does the token."""

import json
from typing import ClassVar

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.operations.secret import Secret
from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import TOKEN, Insert, visitor
from tests.ops.forms import fields_of


class CardIntegrationEvent(IntegrationEvent):
    topic = "tests.card.v1"
    key: ClassVar[str | None] = None

    owner: str
    number: Secret


async def when_card(event: CardIntegrationEvent, mediator: Mediator) -> None: ...


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    """It knows one more event, which holds a secret."""
    feature = Feature("tests")
    feature.subscribe(CardIntegrationEvent, when_card)
    return create_app(settings, [feature])


NUMBER = "4111-1111"


async def test_what_an_event_marks_as_secret_never_shows(
    client: AsyncClient, insert_inbox: Insert, insert_outbox: Insert
) -> None:
    payload = json.dumps({"owner": "lovelace", "number": NUMBER})
    topic = {"topic": CardIntegrationEvent.topic}
    await insert_inbox("good", payload=payload.encode(), **topic)
    await insert_inbox("broken", payload=payload[:-1].encode(), **topic)
    await insert_inbox("bytes", payload=b"\xff" + payload.encode(), **topic)
    await insert_outbox("sent", payload=payload, is_published=True, **topic)
    await insert_outbox("waits", payload=payload, **topic)
    for box, name in (
        ("inbox", "good"), ("inbox", "broken"), ("inbox", "bytes"), ("outbox", "sent"),
        ("outbox", "waits"),
    ):  # fmt: skip
        page = await client.get("/ops/message", params={"box": box, "message_id": name})
        assert page.status_code == 200
        assert NUMBER not in page.text
        assert "••••••" in page.text
        assert ("lovelace" in page.text) == (name in ("good", "sent", "waits"))
    for path in ("/ops/inbox/dead", "/ops/outbox/published", "/ops/outbox/waiting"):
        assert NUMBER not in (await client.get(path)).text


async def test_an_error_does_not_tell_what_a_secret_is(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    payload = json.dumps({"owner": "lovelace", "number": NUMBER}).encode()
    why = f"IntegrityError: no such owner [parameters: ('lovelace', '{NUMBER}')]"
    await insert_inbox("m", payload=payload, topic=CardIntegrationEvent.topic, last_error=why)
    for path in ("/ops/inbox/dead", "/ops/message?box=inbox&message_id=m"):
        page = (await client.get(path)).text
        assert NUMBER not in page
        assert "no such owner [parameters: (&#39;lovelace&#39;, &#39;••••••&#39;)]" in page
    assert "/ops/message" not in (await client.get(f"/ops/inbox/dead?text={NUMBER}")).text


async def test_a_search_does_not_tell_what_a_secret_is(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    payload = json.dumps({"owner": "lovelace", "number": NUMBER}).encode()
    await insert_inbox("good", payload=payload, topic=CardIntegrationEvent.topic)
    for guess in ("4", "4111", NUMBER, "lovelace"):
        page = await client.get("/ops/inbox/dead", params={"text": guess})
        assert "/ops/message" not in page.text
        assert CardIntegrationEvent.topic in page.text, "the page says where it does not look"
        query = {"action": "retry", "box": "inbox", "state": "dead", "text": guess}
        assert "No message fits" in (await client.get("/ops/action", params=query)).text
        bearer = {"authorization": f"Bearer {TOKEN}"}
        answer = await client.post("/ops/action", data=query, headers=bearer)
        assert answer.headers["location"].endswith("count=0")
    assert "/ops/message" in (await client.get("/ops/inbox/dead?text=good")).text


async def test_a_secret_in_no_form(app: FastAPI, client: AsyncClient) -> None:
    async with visitor(app) as stranger:
        page = (await stranger.get("/ops/login")).text
    assert TOKEN not in page
    assert set(fields_of(page, "/ops/login")) == {"next", "token", "username"}
    assert TOKEN not in (await client.get("/ops")).text
