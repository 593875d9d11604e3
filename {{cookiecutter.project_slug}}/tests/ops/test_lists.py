"""A list holds what fits its filter, a page at a time."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import AsyncClient

from app.building_blocks.operations import search
from tests.ops.conftest import NOW, TOPIC, Insert


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
