"""Errors are problem details (RFC 9457), answers carry their request's id, traces stay inside."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, HTTPException
from httpx import ASGITransport, AsyncClient

from app.building_blocks.errors import ConflictError
from app.building_blocks.feature import Feature
from app.main import create_app
from app.settings import Settings

router = APIRouter()
probes = Feature("probes", router=router)


@router.get("/broken")
async def broken() -> None:
    raise LookupError("the secret map is gone")


@router.get("/late")
async def late() -> None:
    raise ConflictError("Somebody was first")


@router.get("/teapot")
async def teapot() -> None:
    raise HTTPException(418, "short and stout", headers={"X-Handle": "here"})


@router.get("/number/{number}")
async def number(number: int) -> int:
    return number


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """An app whose routes fail. Its lifespan is not needed: nothing here uses the database."""
    return create_app(settings.model_copy(update={"log_format": "json"}), [probes])


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Gets the answer also when the app raises, as a client over the network does."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status", "title", "detail"),
    [
        ("GET", "/nowhere", 404, "Not Found", "Not Found"),
        ("DELETE", "/broken", 405, "Method Not Allowed", "Method Not Allowed"),
        ("GET", "/late", 409, "Conflict", "Somebody was first"),
        ("GET", "/teapot", 418, "I'm a Teapot", "short and stout"),
        ("GET", "/broken", 500, "Internal Server Error", None),
    ],
)
async def test_an_error_is_a_problem(
    client: AsyncClient, method: str, path: str, status: int, title: str, detail: str | None
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = {"type": "about:blank", "title": title, "status": status}
    assert answer.json() == (problem | {"detail": detail} if detail else problem)


async def test_what_is_not_valid_is_named(client: AsyncClient) -> None:
    answer = await client.get("/number/seven")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert error["location"] == ["path", "number"]
    assert error["kind"] == "int_parsing"
    assert "valid integer" in error["message"]


async def test_an_error_keeps_its_headers(client: AsyncClient) -> None:
    assert (await client.get("/teapot")).headers["X-Handle"] == "here"
    assert (await client.delete("/broken")).headers["Allow"] == "GET"


async def test_no_trace_leaves_the_service(client: AsyncClient) -> None:
    answer = await client.get("/broken")
    for secret in ("secret map", "LookupError", "Traceback", __file__):
        assert secret not in answer.text


async def test_an_unexpected_error_is_logged_once_with_its_trace_and_its_request(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    app = create_app(settings.model_copy(update={"log_format": "json"}), [probes])
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get("/broken", headers={"X-Request-ID": "seven"})

    [line] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["path"]) == ("error", "/broken")
    assert "LookupError: the secret map is gone" in line["exception"]
    assert line["correlation_id"] == "seven"


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/late", "/broken", "/number/x"])
async def test_every_answer_carries_the_id_of_its_request(client: AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"X-Request-ID": "seven"})
    assert answer.headers.get("X-Request-ID") == "seven"


async def test_a_request_without_an_id_gets_a_new_one(client: AsyncClient) -> None:
    answers = [await client.get("/health/live") for _ in range(2)]
    ids = {UUID(answer.headers["X-Request-ID"]) for answer in answers}
    assert len(ids) == 2


@pytest.mark.parametrize("usable", ["x", "a b/c:d=e", "x" * 128])
async def test_an_id_that_can_be_used_is_kept(client: AsyncClient, usable: str) -> None:
    answer = await client.get("/health/live", headers={"X-Request-ID": usable})
    assert answer.headers["X-Request-ID"] == usable


@pytest.mark.parametrize("unusable", [b"", b"x" * 129, b"a\tb", b"\xe9", b"a\x7fb", b"a\x1b[31m"])
async def test_an_id_that_is_too_long_or_cannot_be_printed_is_replaced(
    client: AsyncClient, unusable: bytes
) -> None:
    answer = await client.get("/health/live", headers=[(b"X-Request-ID", unusable)])
    assert UUID(answer.headers["X-Request-ID"]).version == 7
