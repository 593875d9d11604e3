"""Whoever guesses the token is slowed down, and learns nothing from the time it takes."""

import hmac

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.building_blocks.ops.logins import Logins
from tests.ops.conftest import TOKEN, visitor
from tests.ops.safe_answers import assert_is_kept_safe


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
