"""What belongs together is found by what the service wrote down, not by what a header claims."""

import pytest
from httpx import AsyncClient

from tests.ops.conftest import Insert

ODD = ["a\0b", "\n", "x" * 600, "é", ""]


@pytest.mark.parametrize("claimed", ODD)
async def test_a_correlation_id_that_cannot_be_one_does_no_harm(
    client: AsyncClient, insert_inbox: Insert, claimed: str
) -> None:
    # The consumer could not use it, and took the message id instead.
    headers = {"correlation-id": claimed}
    for consumer in ("one", "two"):
        await insert_inbox("m", consumer=consumer, correlation_id="m", headers=headers)
    answer = await client.get("/ops/message", params={"box": "inbox", "message_id": "m"})
    assert answer.status_code == 200
    assert answer.text.count('<a href="/ops/message?') >= 2, "the other consumer is in the chain"


@pytest.mark.parametrize("key", ["", "two\nlines", "\u202ek"])
async def test_a_key_that_no_filter_can_hold_leads_to_no_list(
    client: AsyncClient, insert_inbox: Insert, key: str
) -> None:
    await insert_inbox("m", key=key)
    page = await client.get("/ops/message", params={"box": "inbox", "message_id": "m"})
    assert "others of it" not in page.text


async def test_a_key_of_a_space_means_its_own_messages(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    await insert_inbox("mine", key=" ")
    await insert_inbox("other", key="k")
    page = (await client.get("/ops/inbox/dead", params={"key": " "})).text
    assert "message_id=mine" in page
    assert "message_id=other" not in page
