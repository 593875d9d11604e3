"""A message shows with everything that its request led to."""

from httpx import AsyncClient

from tests.ops.conftest import CONSUMER, Insert


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
