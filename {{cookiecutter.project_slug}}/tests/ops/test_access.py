"""Nobody sees or does anything on the operator pages without the token."""

import hmac

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from pydantic import SecretStr

from app.building_blocks.databases.database import Database
from app.building_blocks.ops.logins import Logins
from app.building_blocks.ops.sessions import LASTS_SECONDS, Sessions
from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import TOKEN, Insert, visitor
from tests.ops.forms import fields_of

PATHS = [
    "/ops", "/ops/outbox/waiting", "/ops/inbox/dead", "/ops/message?box=inbox&message_id=1",
    "/ops/action?action=retry&box=inbox&state=dead", "/ops/subscriptions", "/ops/flow",
    "/ops/nowhere", "/ops/a/b/c",
]  # fmt: skip
OPEN = ["/ops/login", "/ops/static/ops.css", "/ops/static/ops.js", "/ops/static/nothing.js"]
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def assert_is_kept_safe(answer: Response) -> None:
    headers = answer.headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    if "/static/" not in answer.url.path:
        assert headers["cache-control"] == "no-store"


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


async def test_tokens_are_compared_in_constant_time(
    stranger: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watch(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watch)
    await stranger.post("/ops/login", data={"token": "guess"})
    await stranger.get("/ops", headers={"authorization": "Bearer other-guess"})
    await stranger.get("/ops", headers={"cookie": "ops_session=1.2.3"})
    assert (b"guess", TOKEN.encode()) in compared
    assert (b"other-guess", TOKEN.encode()) in compared
    assert len(compared) == 3


async def test_guessing_is_slowed_down_for_each_address(app: FastAPI) -> None:
    async with visitor(app, address="192.0.2.7") as guesser, visitor(app) as other:
        for _ in range(5):
            assert (await guesser.post("/ops/login", data={"token": "x"})).status_code == 401
        answer = await guesser.post("/ops/login", data={"token": TOKEN})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 12
        assert_is_kept_safe(answer)
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert (await guesser.get("/ops", headers=bearer)).status_code == 429
        assert (await other.post("/ops/login", data={"token": TOKEN})).status_code == 303


async def test_a_session_goes_on_while_others_guess(client: AsyncClient) -> None:
    for _ in range(6):
        await client.post("/ops/login", data={"token": "x"})
    assert (await client.get("/ops")).status_code == 200


def test_attempts_come_back_with_time_and_are_limited_in_total() -> None:
    time = 0.0
    logins = Logins(each=2, total=3, clock=lambda: time)
    logins.failed("192.0.2.1")
    logins.failed("192.0.2.1")
    assert (logins.wait("192.0.2.1"), logins.wait("192.0.2.2")) == (30.0, 0.0)
    logins.failed("192.0.2.2")
    assert logins.wait("192.0.2.3") == 20.0
    time = 30.0
    assert logins.wait("192.0.2.1") == 0.0


def test_an_address_cannot_be_changed_within_its_network() -> None:
    logins = Logins(each=1, total=100)
    logins.failed("2001:db8::1")
    assert logins.wait("2001:db8::ffff:2") > 0
    assert logins.wait("2001:db8:0:1::1") == 0
    logins.failed("unknown")
    assert logins.wait("unknown") > 0


def test_the_memory_for_addresses_has_an_end() -> None:
    logins = Logins(each=1, total=10**6)
    for number in range(3000):
        logins.failed(f"address {number}")
    assert len(logins._by_address) == 1000


DEED = {"action": "discard", "box": "inbox", "state": "dead", "sure": "yes"}


@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "é"])
async def test_a_form_without_its_own_token_does_nothing(
    client: AsyncClient, insert_inbox: Insert, csrf: str | None
) -> None:
    await insert_inbox("m")
    form = DEED if csrf is None else DEED | {"csrf": csrf}
    answer = await client.post("/ops/action", data=form)
    assert answer.status_code == 403
    assert_is_kept_safe(answer)
    assert "1 message is" not in (await client.get("/ops/inbox/discarded?done=no")).text
    assert "/ops/message" in (await client.get("/ops/inbox/dead")).text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"}, {"origin": "http://test.evil.example"},
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    ],
)  # fmt: skip
async def test_a_form_from_another_site_does_nothing(
    client: AsyncClient, insert_inbox: Insert, headers: dict[str, str]
) -> None:
    await insert_inbox("m")
    page = await client.get("/ops/action", params=DEED)
    form = fields_of(page.text, "/ops/action") | {"sure": "yes"}
    for path in ("/ops/action", "/ops/login", "/ops/logout"):
        answer = await client.post(path, data=form | {"token": TOKEN}, headers=headers)
        assert answer.status_code == 403
    same = {"origin": "http://test", "sec-fetch-site": "same-origin"}
    assert (await client.post("/ops/action", data=form, headers=same)).status_code == 303


async def test_the_form_of_one_session_is_none_of_another(
    client: AsyncClient, stranger: AsyncClient
) -> None:
    await stranger.post("/ops/login", data={"token": TOKEN})
    theirs = fields_of((await stranger.get("/ops")).text, "/ops/logout")
    assert (await client.post("/ops/logout", data=theirs)).status_code == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"token=" + b"x" * 40_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(60)), "application/x-www-form-urlencoded", 422),
        (b"token=%ff", "application/x-www-form-urlencoded", 422),
        (b"\xff", "application/x-www-form-urlencoded", 422),
    ],
)  # fmt: skip
async def test_what_is_no_form_is_refused(
    stranger: AsyncClient, body: bytes, kind: str, status: int
) -> None:
    answer = await stranger.post("/ops/login", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert_is_kept_safe(answer)


async def test_the_pages_are_in_no_public_document(client: AsyncClient) -> None:
    assert "/ops" not in (await client.get("/openapi.json")).text


def test_the_token_shows_in_no_setting(settings: Settings) -> None:
    assert isinstance(settings.ops_token, SecretStr)
    assert TOKEN not in repr(settings)
