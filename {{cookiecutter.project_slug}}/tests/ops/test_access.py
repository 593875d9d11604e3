"""Nobody sees anything on the operator pages without the token."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from app.building_blocks.databases.database import Database
from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import TOKEN, visitor
from tests.ops.safe_answers import assert_is_kept_safe

PATHS = [
    "/ops", "/ops/outbox/waiting", "/ops/inbox/dead", "/ops/message?box=inbox&message_id=1",
    "/ops/action?action=retry&box=inbox&state=dead", "/ops/subscriptions", "/ops/flow",
    "/ops/nowhere", "/ops/a/b/c",
]  # fmt: skip
OPEN = ["/ops/login", "/ops/static/ops.css", "/ops/static/ops.js", "/ops/static/nothing.js"]


@pytest.mark.parametrize("path", ["/ops/", *PATHS, *OPEN])
async def test_without_a_token_in_the_settings_there_are_no_pages(
    settings: Settings, database: Database, path: str
) -> None:
    app = create_app(settings.model_copy(update={"ops_token": None}))
    async with visitor(app, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        for method in ("GET", "POST", "DELETE"):
            answer = await client.request(method, path)
            unknown = await client.request(method, "/no-such-path")
            assert (answer.status_code, answer.json()) == (404, unknown.json())
            assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_a_stranger_is_led_to_the_login(stranger: AsyncClient, path: str) -> None:
    answer = await stranger.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/ops/login")
    assert_is_kept_safe(answer)
    assert_is_kept_safe(await stranger.post(path))


@pytest.mark.parametrize("path", [*PATHS, *OPEN])
async def test_every_answer_keeps_the_browser_on_the_safe_side(
    client: AsyncClient, path: str
) -> None:
    for method in ("GET", "HEAD", "POST", "PUT"):
        answer = await client.request(method, path)
        assert answer.status_code < 500
        assert_is_kept_safe(answer)


async def test_no_page_holds_a_script_or_a_style_of_its_own(client: AsyncClient) -> None:
    for path in (*PATHS, "/ops/login"):
        page = (await client.get(path)).text
        assert page.count("<script") == page.count('<script src="/ops/static/') == 1, path
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page


async def test_a_bearer_token_opens_the_pages_for_a_program(app: FastAPI) -> None:
    headers = {"accept": "*/*", "authorization": f"Bearer {TOKEN}"}
    async with visitor(app, headers=headers) as program:
        assert (await program.get("/ops")).status_code == 200
        # No form of ours, so nothing for another site to copy: no CSRF token either.
        deed = {"action": "retry", "box": "inbox", "state": "dead"}
        assert (await program.post("/ops/action", data=deed)).status_code == 303
        program.headers["authorization"] = "Bearer nonsense"
        answer = await program.get("/ops")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert_is_kept_safe(answer)
        del program.headers["authorization"]
        answer = await program.get("/ops")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_wrong_bearer_token_is_not_saved_by_a_cookie(client: AsyncClient) -> None:
    answer = await client.get("/ops", headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_the_pages_are_in_no_public_document(client: AsyncClient) -> None:
    assert "/ops" not in (await client.get("/openapi.json")).text


def test_the_token_shows_in_no_setting(settings: Settings) -> None:
    assert isinstance(settings.ops_token, SecretStr)
    assert TOKEN not in repr(settings)
