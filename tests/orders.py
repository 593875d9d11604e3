"""Orders of a running service, and problems that it answers with."""

from typing import Any

import httpx
from service import Service

PROBLEM = "application/problem+json"


def new_order(service: Service, amount: str = "12.50") -> dict[str, str]:
    """Post an order; gives the answer's body."""
    answer = service.post("/orders", {"customer": "ada", "amount": amount})
    assert answer.status_code == 201, answer.text
    order: dict[str, str] = answer.json()
    return order


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The body of an answer that must be a problem (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert "Traceback" not in answer.text
    return body


def items(answer: httpx.Response) -> list[dict[str, str]]:
    """The orders of a page, which may be the list itself or hold it under a name."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found: list[dict[str, str]] = body if isinstance(body, list) else body["items"]
    return found
