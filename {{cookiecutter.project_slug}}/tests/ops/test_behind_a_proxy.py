"""The pages work behind a proxy, and believe nothing that only a proxy may say."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from app.building_blocks.databases.database import Database
from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import TOKEN, Insert, visitor
from tests.ops.forms import fields_of


async def test_a_proxy_may_give_the_host_another_name(
    client: AsyncClient, insert_inbox: Insert
) -> None:
    await insert_inbox("m")
    # What a browser sends from https://ops.example, and the proxy on to http://test.
    seen = {"origin": "https://ops.example", "sec-fetch-site": "same-origin"}
    assert (await client.post("/ops/login", data={"token": TOKEN}, headers=seen)).is_redirect
    deed = {"action": "retry", "box": "inbox", "state": "dead"}
    page = await client.get("/ops/action", params=deed)
    form = fields_of(page.text, "/ops/action")
    answer = await client.post("/ops/action", data=form, headers=seen)
    assert answer.headers["location"].endswith("count=1")


async def test_an_address_that_a_visitor_claims_brings_no_more_attempts(app: FastAPI) -> None:
    async with visitor(app) as client:
        answers = [
            await client.post(
                "/ops/login",
                data={"token": "wrong"},
                headers={"x-forwarded-for": f"198.51.100.{number}"},
            )
            for number in range(6)
        ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


@pytest.mark.parametrize("around", ["{}\n", " {} ", "\t{}\r\n"])
async def test_a_line_break_behind_the_token_is_no_part_of_it(
    settings: Settings, database: Database, around: str
) -> None:
    written = SecretStr(around.format(TOKEN))
    app = create_app(settings.model_copy(update={"ops_token": written}))
    bearer = {"authorization": f"Bearer {TOKEN}"}
    async with visitor(app) as client:
        assert (await client.get("/ops/flow", headers=bearer)).status_code == 200
        for typed in (TOKEN, f" {TOKEN}"):
            assert (await client.post("/ops/login", data={"token": typed})).status_code == 303


@pytest.mark.parametrize("elsewhere", ["/ops/%2e%2e/orders", "/ops/%2E%2E/%2e./x", "/ops/%5c"])
async def test_a_login_leads_nowhere_else_by_letters_in_disguise(
    stranger: AsyncClient, elsewhere: str
) -> None:
    answer = await stranger.post("/ops/login", data={"token": TOKEN, "next": elsewhere})
    assert answer.headers["location"] == "/ops"
