"""What a message holds reads on a page as it is, though parts of it cannot be seen."""

import json

import pytest
from httpx import AsyncClient

from tests.ops.conftest import Insert

# Turns the rest of the line round, clears a terminal, and a mark of direction.
HIDDEN_SIGNS = ["\u202e", "\u2067", "\x1b[2J", "\u200f", "\x9b"]
CONSUMER = "test-service.payments.when_order_created"


@pytest.mark.parametrize("sign", HIDDEN_SIGNS)
async def test_no_sign_makes_a_page_read_as_something_else(
    client: AsyncClient, insert_inbox: Insert, insert_outbox: Insert, sign: str
) -> None:
    text = f"pay{sign}100"
    columns = {"key": text, "last_error": text, "headers": {"note": text}}
    payload = json.dumps({"note": text}, ensure_ascii=False)
    await insert_inbox("m", payload=payload.encode(), correlation_id="c", **columns)
    await insert_outbox("m", payload=payload, correlation_id="c", state="dead", **columns)
    for path in (
        "/ops/inbox/dead", "/ops/outbox/dead", "/ops/message?box=inbox&message_id=m",
        "/ops/message?box=outbox&message_id=m",
    ):  # fmt: skip
        page = (await client.get(path)).text
        assert not any(hidden in page for hidden in sign.strip("[2J")), path
        assert "pay\\" in page, "it is spelled out"


async def test_lines_and_letters_of_every_language_stay_as_they_are(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    error = "Größe\n\t日本語\u3000é 👩\u200d🚀\xa0!"
    await insert_inbox("m", last_error=error)
    assert error in (await client.get("/ops/message?box=inbox&message_id=m")).text


async def test_a_long_consumer_breaks_where_its_words_end(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    await insert_inbox("m", consumer=CONSUMER)
    page = (await client.get("/ops/inbox/dead")).text
    assert "payments.<wbr>when_<wbr>order_<wbr>created" in page
