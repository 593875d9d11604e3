"""Gives each request its correlation id, trace context and carriers, and answers with the id."""

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from app.building_blocks.carriers import Carriers
from app.building_blocks.context import (
    CORRELATION_ID,
    ENVIRONMENT,
    TRACEPARENT,
    TRACESTATE,
    carrying,
    is_environment,
    is_usable,
)

_LONGEST = 128
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContext:
    """ASGI middleware. Reads `X-Request-ID` and `traceparent`.

    The correlation id is the request's id, else that of its trace, else a new one.
    """

    def __init__(self, app: ASGIApp, carriers: Carriers) -> None:
        self._app = app
        self._carriers = carriers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # One state, also for parts of the app that are given a copy of the scope.
        scope.setdefault("state", {})
        request = Request(scope)
        correlation_id = _correlation_id(request)
        environment = self._carriers.environment_of(request)
        carried = {
            CORRELATION_ID: correlation_id,
            TRACEPARENT: request.headers.get("traceparent", ""),
            TRACESTATE: request.headers.get("tracestate", ""),
            ENVIRONMENT: environment if is_environment(environment) else "",
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = correlation_id
            await send(message)

        with carrying(carried, self._carriers, request):
            await self._app(scope, receive, answer)


def _correlation_id(request: Request) -> str:
    request_id = request.headers.get("x-request-id", "")
    if is_usable(request_id) and len(request_id) <= _LONGEST:
        return request_id
    trace = _TRACE.fullmatch(request.headers.get("traceparent", ""))
    return trace[1] if trace else str(uuid7())
