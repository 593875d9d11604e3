"""An action on everything is asked for, and never the fate of a filter that came out empty."""

import pytest
from fastapi import FastAPI

from tests.ops.conftest import TOKEN, Insert, visitor

FIELDS = ("message_id", "consumer", "topic", "key", "since", "until", "text")
BEARER = {"authorization": f"Bearer {TOKEN}"}
ALL = {"action": "discard", "box": "inbox", "state": "dead", "sure": "yes"}


@pytest.mark.parametrize("field", FIELDS)
async def test_a_filter_without_a_value_is_no_filter_at_all(
    app: FastAPI, insert_inbox: Insert, field: str
) -> None:
    await insert_inbox("m")
    async with visitor(app, headers=BEARER) as program:
        for answer in (
            await program.post("/ops/action", data=ALL | {field: ""}),
            await program.get("/ops/action", params=ALL | {field: ""}),
        ):
            assert answer.status_code == 422
            assert f"{field} is empty" in answer.text
        assert "message_id=m" in (await program.get("/ops/inbox/dead")).text
        everything = await program.post("/ops/action", data=ALL)
    assert everything.headers["location"].endswith("count=1")


async def test_a_list_takes_the_fields_that_its_form_leaves_empty(
    app: FastAPI, insert_inbox: Insert
) -> None:
    await insert_inbox("m")
    async with visitor(app, headers=BEARER) as program:
        page = await program.get("/ops/inbox/dead", params=dict.fromkeys(FIELDS, ""))
    assert "message_id=m" in page.text
