"""The last resort: an unexpected error becomes a bare 500, and a log line with its trace."""

import structlog
from fastapi.exceptions import ResponseValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.building_blocks.http.problem_details import problem

log = structlog.get_logger(__name__)


class UnexpectedErrors:
    """ASGI middleware, inside `RequestContext`, so that answer and log carry the request's id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if started:
                raise
            _tell(error, scope["path"])
            await problem(500)(scope, receive, send)


def _tell(error: Exception, path: str) -> None:
    if not isinstance(error, ResponseValidationError):
        log.error("unexpected error", path=path, exc_info=error)
        return
    # Its text holds the whole answer.
    errors = [{"location": list(e["loc"]), "kind": e["type"]} for e in error.errors()]
    log.error("an answer does not fit its model", path=path, errors=errors)
