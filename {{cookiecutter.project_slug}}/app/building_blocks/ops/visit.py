"""One request to an operator page, and the ways in which it can be turned down."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response


class Visit(NamedTuple):
    """`csrf` is what the forms of this session carry; empty for a bearer token, which needs none.

    `form` is what a POST brought, checked already.
    """

    request: Request
    csrf: str = ""
    is_logged_in: bool = False
    form: Mapping[str, str] = MappingProxyType({})

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def address(self) -> str:
        """Of the client, as the server knows it."""
        return address_of(self.request)


Handler = Callable[[Visit], Awaitable[Response]]


class RefusedError(Exception):
    """The answer is a page with this status that says why, in a sentence."""

    def __init__(
        self, status: HTTPStatus, says: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(says)
        self.status, self.says, self.headers = status, says, headers


class LoginNeededError(Exception):
    """Nobody is logged in."""


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"
