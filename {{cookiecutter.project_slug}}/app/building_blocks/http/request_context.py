"""Gives each request its correlation id and trace context, and answers with the id."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from app.building_blocks.context import CORRELATION_ID, TRACEPARENT, TRACESTATE, carrying, is_usable

_LONGEST = 128


class RequestContext:
    """ASGI middleware. Reads `X-Request-ID` and `traceparent`; makes up an id where none came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")
        is_kept = is_usable(request_id) and len(request_id) <= _LONGEST
        correlation_id = request_id if is_kept else str(uuid7())
        carried = {
            CORRELATION_ID: correlation_id,
            TRACEPARENT: headers.get("traceparent", ""),
            TRACESTATE: headers.get("tracestate", ""),
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = correlation_id
            await send(message)

        with carrying(carried):
            await self._app(scope, receive, answer)
