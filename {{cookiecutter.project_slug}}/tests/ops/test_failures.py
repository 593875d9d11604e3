"""What cannot be shown is told on a page, without what went wrong inside."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from httpx import AsyncClient

from app.main import create_app
from app.settings import Settings
from tests.ops.conftest import TOKEN, visitor
from tests.unreachable import unreachable


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ops/outbox/nonsense", 404), ("/ops/nonsense/dead", 404), ("/ops/inbox/waiting", 404),
        ("/ops/outbox/%3Cscript%3E", 404), ("/ops/message", 404),
        ("/ops/message?box=inbox&message_id=none", 404), ("/ops/message?box=x&message_id=y", 404),
        ("/ops/message?box=inbox&message_id=%00", 404),
        ("/ops/inbox/dead?after=nonsense", 422), ("/ops/inbox/dead?after=%C3%A9", 422),
        ("/ops/inbox/dead?after=WzFd", 422), ("/ops/outbox/dead?after=WyJhIl0=", 422),
        ("/ops/outbox/dead?after=WzFlMzBd", 422), ("/ops/outbox/dead?after=W3sgfV0=", 422),
        ("/ops/outbox/dead?after=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwXQ==", 422),
        ("/ops/outbox/dead?after=W251bGxd", 422), ("/ops/outbox/dead?after=NQ==", 422),
        ("/ops/outbox/dead?after=", 422),
        ("/ops/inbox/dead?since=yesterday", 422), ("/ops/inbox/dead?until=2030-13-01", 422),
        ("/ops/inbox/dead?since=0001-01-01T00:00%2B23:00", 422),
        ("/ops/inbox/dead?text=%00", 422), ("/ops/inbox/dead?key=" + "x" * 600, 422),
        ("/ops/inbox/dead?done=retry&count=-1", 200), ("/ops/inbox/dead?done=%3Cb%3E", 200),
        ("/ops/inbox/dead?text=%ED%A0%80", 200), ("/ops/inbox/dead?since=0001-01-01", 200),
        ("/ops/action?action=drop&box=inbox&state=dead", 404),
        ("/ops/action?action=retry&box=inbox&state=none", 404),
        ("/ops/action?action=retry&box=inbox&state=handled", 409),
        ("/ops/action", 404), ("/ops/static/..%2Fpages.py", 404), ("/ops/nowhere", 404),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_told_on_a_page(
    client: AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    assert "<h1>" in answer.text
    assert "<script>" not in answer.text


async def test_a_database_that_is_away_is_told_on_a_page(
    settings: Settings, tmp_path: Path
) -> None:
    url = unreachable(settings.database_url, tmp_path)
    app = create_app(settings.model_copy(update={"database_url": url}))
    async with visitor(app) as client:
        await client.post("/ops/login", data={"token": TOKEN})
        for path in ("/ops", "/ops/inbox/dead", "/ops/message?box=inbox&message_id=1"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "The database cannot be used right now" in answer.text
            assert "content-security-policy" in answer.headers
        assert (await client.get("/ops/flow")).status_code == 200


async def test_an_unexpected_error_is_told_without_its_trace(
    app: FastAPI, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> Any:
        raise LookupError("hunter2")

    monkeypatch.setattr("app.building_blocks.ops.overview.slots_of", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await client.get("/ops")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "content-security-policy" in answer.headers
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["unexpected error"]
