"""The last resort: an unexpected error becomes a bare 500, and a log line with its trace."""

import structlog
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
        except Exception:
            if started:
                raise
            log.exception("unexpected error", path=scope["path"])
            await problem(500)(scope, receive, send)
