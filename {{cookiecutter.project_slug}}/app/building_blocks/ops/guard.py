"""Stands before every operator page: who comes in, what they bring, and what they are told."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from sqlalchemy.exc import DataError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.building_blocks.databases.database import Database
from app.building_blocks.ops.access import Access
from app.building_blocks.ops.forms import check_origin, read_form
from app.building_blocks.ops.headers import SECURITY
from app.building_blocks.ops.home import HOME
from app.building_blocks.ops.sessions import same
from app.building_blocks.ops.views import Views
from app.building_blocks.ops.visit import Handler, LoginNeededError, RefusedError, Visit

Endpoint = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger(__name__)


class Guard:
    """Makes endpoints of handlers. None of their errors leaves as anything but a page."""

    def __init__(self, access: Access, database: Database, views: Views) -> None:
        self._access, self._database, self._views = access, database, views

    def before(self, handler: Handler, *, is_open: bool = False) -> Endpoint:
        """`handler` for those who logged in, or for everybody when it `is_open`."""

        async def endpoint(request: Request) -> Response:
            visit = Visit(request)
            try:
                visit = await self._admitted(request, is_open=is_open)
                response = await handler(visit)
            except LoginNeededError:
                response = self._to_login(visit)
            except Exception as error:
                response = self._views.problem(visit, self._refusal(request, error))
            for name, value in SECURITY.items():
                response.headers.setdefault(name, value)
            return response

        return endpoint

    async def _admitted(self, request: Request, *, is_open: bool) -> Visit:
        csrf = "" if is_open else self._access.csrf_of(request)
        if request.method != "POST":
            return Visit(request, csrf, not is_open)
        if is_open or csrf:
            check_origin(request)
        form = await read_form(request)
        if csrf and not same(form.get("csrf", ""), csrf):
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "This form is too old, or not from here. Load the page again."
            )
        return Visit(request, csrf, not is_open, form)

    def _to_login(self, visit: Visit) -> Response:
        request = visit.request
        if "text/html" not in request.headers.get("accept", ""):
            refusal = RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "Send OPS_TOKEN as a bearer token.",
                {"WWW-Authenticate": "Bearer"},
            )
            return self._views.problem(visit, refusal)
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        query = "" if request.method == "POST" or wanted == HOME else urlencode({"next": wanted})
        return RedirectResponse(f"{HOME}/login?{query}".rstrip("?"), HTTPStatus.SEE_OTHER)

    def _refusal(self, request: Request, error: Exception) -> RefusedError:
        if isinstance(error, RefusedError):
            return error
        path = request.url.path
        if isinstance(error, DataError):
            log.warning("a value does not fit", path=path, reason=str(error))
            return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "A value is malformed.")
        if isinstance(error, TimeoutError) or self._database.is_away(error):
            log.error("database is away", path=path, reason=str(error))
            says = "The database cannot be used right now. Try again in a moment."
            return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, says, {"Retry-After": "5"})
        log.error("unexpected error", path=path, exc_info=error)
        says = "Something is wrong with this page. The log of the service says what."
        return RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, says)
