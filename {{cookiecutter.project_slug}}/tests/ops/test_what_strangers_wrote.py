"""What came over the broker or into the database is shown, never run; secrets are not shown."""

import json
import re
from html.parser import HTMLParser
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

ATTACKS = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea></pre></svg><svg onload=alert(1)>",
    "'-alert(1)-'",
    "&lt;script&gt;",
]
_OURS = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "img", "nav", "form",
    "input", "button", "main", "p", "h1", "h2", "div", "section", "dl", "dt", "dd", "span", "code",
    "pre", "time", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "b", "label",
    "datalist", "option", "svg", "path", "rect", "text", "ul", "li", "br", "g",
}  # fmt: skip


class Inspector(HTMLParser):
    """Fails on any tag, address or attribute that the templates do not write."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _OURS, tag
        given = {name: value or "" for name, value in attrs}
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        for name in ("href", "src", "action"):
            assert given.get(name, "/ops").startswith(("/ops", "#main")), given
        if tag in ("script", "img"):
            assert given["src"].startswith("/ops/static/")


def inspect_page(page: str) -> None:
    Inspector().feed(page)
    assert "49{%" not in page


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_that_is_stored_is_only_text(
    client: AsyncClient, insert_inbox: Insert, insert_outbox: Insert, attack: str
) -> None:
    evil = {attack: attack, "correlation-id": attack, "causation-id": attack}
    columns = {"topic": attack, "key": attack, "headers": evil, "correlation_id": attack}
    for number, payload in enumerate((attack, json.dumps({attack: [attack]}))):
        await insert_inbox(
            f"{number}{attack}", consumer=attack, payload=payload.encode(), last_error=attack,
            **columns,
        )  # fmt: skip
    await insert_outbox("o", payload=attack, state="dead", last_error=attack, **columns)
    await insert_outbox("p", payload=attack, is_published=True, **columns)
    message = {"box": "inbox", "message_id": f"0{attack}", "consumer": attack}
    filters = {"topic": attack, "key": attack, "text": attack, "consumer": attack}
    pages = [
        await client.get("/ops/inbox/dead"),
        await client.get("/ops/inbox/dead", params=filters),
        await client.get("/ops/outbox/dead", params={"topic": attack}),
        await client.get("/ops/outbox/published"),
        await client.get("/ops/message", params=message),
        await client.get("/ops/message", params={"box": "outbox", "message_id": "p"}),
        await client.get("/ops/message", params={"box": attack, "message_id": attack}),
        await client.get(
            "/ops/action", params={"action": "discard", "box": "inbox", "state": "dead"} | filters
        ),
        await client.get("/ops/action", params={"action": attack}),
        await client.get("/ops/inbox/dead", params={"since": attack}),
        await client.get("/ops/inbox/dead", params={"after": attack}),
        await client.get("/ops/login", params={"next": attack}),
    ]
    for page in pages:
        assert page.status_code in (200, 404, 422)
        inspect_page(page.text)
    for page in pages[:2]:
        assert "/ops/message?box=inbox" in page.text


async def test_a_message_can_be_reached_whatever_its_id_holds(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    name = "a b&consumer=x#é/?%00<"
    await insert_inbox(name, consumer=name)
    page = (await client.get("/ops/inbox/dead")).text
    match = re.search(r'class="id" href="([^"]+)"', page)
    assert match
    answer = await client.get(match[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "a b&amp;consumer=x#é/?%00&lt;" in answer.text


async def test_a_payload_of_any_bytes_shows(client: AsyncClient, insert_inbox: Insert) -> None:
    odd = [b"\xff\xfe\x00", b'"\\ud800"', b"[" * 5000, b"1" * 5000, b"", b"NaN", b"\0"]
    for number, payload in enumerate(odd):
        await insert_inbox(f"m{number}", payload=payload)
        where = {"box": "inbox", "message_id": f"m{number}"}
        assert (await client.get("/ops/message", params=where)).status_code == 200, payload[:20]
    assert (await client.get("/ops/inbox/dead")).status_code == 200


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
    payload = json.dumps({"owner": "ada", "number": NUMBER})
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
        assert ("ada" in page.text) == (name in ("good", "sent", "waits"))
    for path in ("/ops/inbox/dead", "/ops/outbox/published", "/ops/outbox/waiting"):
        assert NUMBER not in (await client.get(path)).text


async def test_an_error_does_not_tell_what_a_secret_is(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    payload = json.dumps({"owner": "ada", "number": NUMBER}).encode()
    why = f"IntegrityError: no such owner [parameters: ('ada', '{NUMBER}')]"
    await insert_inbox("m", payload=payload, topic=CardIntegrationEvent.topic, last_error=why)
    for path in ("/ops/inbox/dead", "/ops/message?box=inbox&message_id=m"):
        page = (await client.get(path)).text
        assert NUMBER not in page
        assert "no such owner [parameters: (&#39;ada&#39;, &#39;••••••&#39;)]" in page
    assert "/ops/message" not in (await client.get(f"/ops/inbox/dead?text={NUMBER}")).text


async def test_a_search_does_not_tell_what_a_secret_is(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    payload = json.dumps({"owner": "ada", "number": NUMBER}).encode()
    await insert_inbox("good", payload=payload, topic=CardIntegrationEvent.topic)
    for guess in ("4", "4111", NUMBER, "ada"):
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
