"""A login begins the session of one browser, which ends by a logout or in time."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.ops.sessions import LASTS_SECONDS, Sessions
from tests.ops.conftest import TOKEN, visitor
from tests.ops.forms import fields_of
from tests.ops.safe_answers import assert_is_kept_safe


async def test_the_token_opens_the_pages_for_a_browser(stranger: AsyncClient) -> None:
    answer = await stranger.post("/ops/login", data={"token": TOKEN, "next": "/ops/inbox/dead"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops/inbox/dead")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/ops", f"max-age={LASTS_SECONDS}"):
        assert part in cookie
    assert "secure" not in cookie
    assert TOKEN not in cookie
    assert (await stranger.get("/ops")).status_code == 200


async def test_the_cookie_stays_on_https(app: FastAPI) -> None:
    async with visitor(app, base_url="https://test") as client:
        answer = await client.post("/ops/login", data={"token": TOKEN})
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/ops", "//evil.example/ops", "/\\evil.example", "javascript:alert(1)",
        "/orders", "/opsx", "/ops\\..\\x", "http://[", "/ops/../orders", "",
    ],
)  # fmt: skip
async def test_a_login_leads_nowhere_else(stranger: AsyncClient, elsewhere: str) -> None:
    shown = (await stranger.get("/ops/login", params={"next": elsewhere})).text
    assert fields_of(shown, "/ops/login")["next"] == "/ops"
    answer = await stranger.post("/ops/login", data={"token": TOKEN, "next": elsewhere})
    assert answer.headers["location"] == "/ops"


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "é", "\0"])
async def test_a_wrong_token_opens_nothing(stranger: AsyncClient, token: str) -> None:
    answer = await stranger.post("/ops/login", data={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "That is not the token." in answer.text
    assert_is_kept_safe(answer)


async def test_a_logout_ends_the_session_of_the_browser(client: AsyncClient) -> None:
    form = fields_of((await client.get("/ops")).text, "/ops/logout")
    answer = await client.post("/ops/logout", data=form)
    assert answer.status_code == 303
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert (await client.get("/ops")).status_code == 303


def test_a_session_is_good_for_a_time_and_for_one_token() -> None:
    time = 1000.0
    ours = Sessions(TOKEN, lambda: time)
    cookie = ours.begin()
    assert ours.is_valid(cookie)
    assert Sessions(TOKEN, lambda: time).is_valid(cookie), "another replica"
    assert not Sessions("another-token-altogether", lambda: time).is_valid(cookie)
    assert ours.begin() != cookie
    assert ours.csrf(ours.begin()) != ours.csrf(cookie)
    time += LASTS_SECONDS
    assert not ours.is_valid(cookie)


def test_a_cookie_that_was_tampered_with_is_none() -> None:
    ours = Sessions(TOKEN)
    expiry, nonce, signature = ours.begin().split(".")
    forged = [
        f"{int(expiry) + 1}.{nonce}.{signature}", f"{expiry}.x{nonce}.{signature}",
        f"{expiry}.{nonce}.{signature[:-1]}", f"{expiry}.{nonce}.", f"{expiry}.{nonce}",
        f"{expiry}.{nonce}.{ours.csrf(f'{expiry}.{nonce}')}", "", ".", "..", "é.é.é", "x" * 5000,
    ]  # fmt: skip
    assert not any(ours.is_valid(cookie) for cookie in forged)


async def test_a_cookie_with_anything_in_it_is_no_error(stranger: AsyncClient) -> None:
    for cookie in ("", ".", "a.b.c", "9999999999.x.0", '"', "x" * 4000):
        answer = await stranger.get("/ops", headers={"cookie": f"ops_session={cookie}"})
        assert answer.status_code == 303
