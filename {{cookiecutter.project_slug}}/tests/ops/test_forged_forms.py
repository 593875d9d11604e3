"""A form does something only if it is one of this session's own pages."""

import pytest
from httpx import AsyncClient

from tests.ops.conftest import TOKEN, Insert
from tests.ops.forms import fields_of
from tests.ops.safe_answers import assert_is_kept_safe

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
