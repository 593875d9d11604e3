"""What came over the broker or into the database is shown, never run."""

import json
import re
from html.parser import HTMLParser

import pytest
from httpx import AsyncClient

from tests.ops.conftest import Insert

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
