"""Whoever is asked learns what else the deed would do, on a page and at the command line."""

import pytest
from httpx import AsyncClient

from tests.ops.conftest import Insert

RETRY = {"action": "retry"}
OVERTAKEN = "Later messages of its key were not held up"
TO_GO_OUT_LATER = "So is what was to go out later."


@pytest.mark.parametrize("box", ["outbox", "inbox"])
async def test_what_is_dead_comes_after_what_was_not_held_up(
    client: AsyncClient, insert_inbox: Insert, insert_outbox: Insert, box: str
) -> None:
    await (insert_inbox if box == "inbox" else insert_outbox)("m", state="dead")
    asked = await client.get("/ops/action", params=RETRY | {"box": box, "state": "dead"})
    assert OVERTAKEN in asked.text
    assert TO_GO_OUT_LATER not in asked.text


async def test_a_delay_ends_when_everything_is_published_now(
    client: AsyncClient, insert_outbox: Insert
) -> None:
    await insert_outbox("m")
    asked = await client.get("/ops/action", params=RETRY | {"box": "outbox", "state": "waiting"})
    assert TO_GO_OUT_LATER in asked.text
    assert OVERTAKEN not in asked.text
