"""Who may see the operator pages: whoever knows the token."""

from http import HTTPStatus
from math import ceil

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.building_blocks.ops.home import HOME
from app.building_blocks.ops.logins import Logins
from app.building_blocks.ops.sessions import LASTS_SECONDS, Sessions, same
from app.building_blocks.ops.visit import LoginNeededError, RefusedError, address_of

COOKIE = "ops_session"

log = structlog.get_logger("app.audit")


class Access:
    """Lets in by a bearer token, or by the cookie that a login gives."""

    def __init__(self, token: str, sessions: Sessions, logins: Logins) -> None:
        self._token, self._sessions, self._logins = token, sessions, logins

    def csrf_of(self, request: Request) -> str:
        """What the forms of this visitor carry, "" for one with a bearer token.

        Raises LoginNeededError, and RefusedError for a wrong token.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self.check(token, address_of(request))
            return ""
        cookie = request.cookies.get(COOKIE, "")
        if not self._sessions.is_valid(cookie):
            raise LoginNeededError
        return self._sessions.csrf(cookie)

    def check(self, token: str, address: str) -> None:
        """Raises RefusedError for a wrong token, and for any once too many were wrong.

        Space around it does not count: files that hold a token often end with a line break.
        """
        if wait := ceil(self._logins.wait(address)):
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Too many attempts with a wrong token. Try again in {wait} s.",
                {"Retry-After": str(wait)},
            )
        if not same(token.strip(), self._token.strip()):
            self._logins.failed(address)
            log.warning("operator token is wrong", address=address)
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED, "That is not the token.", {"WWW-Authenticate": "Bearer"}
            )

    def let_in(self, request: Request, response: Response) -> None:
        """Begin a session."""
        log.info("operator logged in", address=address_of(request))
        self._set_cookie(request, response, self._sessions.begin(), LASTS_SECONDS)

    def let_out(self, request: Request, response: Response) -> None:
        """Make the browser forget its session."""
        self._set_cookie(request, response, "", 0)

    def _set_cookie(self, request: Request, response: Response, value: str, age: int) -> None:
        response.set_cookie(
            COOKIE,
            value,
            max_age=age,
            path=HOME,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
