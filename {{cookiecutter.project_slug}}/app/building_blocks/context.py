"""What travels with a request: correlation and causation ids, the trace context and carriers.

From HTTP into the outbox row's headers, over the broker, into the handler and its log lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from app.building_blocks.tracing import trace_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.building_blocks.carriers import Carriers

CORRELATION_ID = "correlation-id"
CAUSATION_ID = "causation-id"
TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
ENVIRONMENT = "environment"

CARRIED = (CORRELATION_ID, CAUSATION_ID, TRACEPARENT, TRACESTATE, ENVIRONMENT)
"""The headers that always cross the broker, both ways; your own are in `app/carriers.py`."""

_LONGEST = 512
USABLE = f"printable ASCII, 1 to {_LONGEST} characters"
_ENVIRONMENT = re.compile(r"[a-z0-9-]{1,50}")


class _Context(NamedTuple):
    headers: Mapping[str, str]
    carriers: Carriers | None = None
    request: Request | None = None


_NOTHING = _Context({})
_current: ContextVar[_Context] = ContextVar("context", default=_NOTHING)


def current_context() -> Mapping[str, str]:
    """The carried headers of the request or message that is being handled now.

    A request is asked anew each time, because it is authenticated on the way. Raises what a
    carrier's `from_request` raises. With tracing, the trace context is that of the open span.
    """
    context = _current.get()
    if context.carriers is None or context.request is None:
        return {**context.headers, **trace_headers()}
    # A `from_request` that logs must not be asked for the fields of its own line.
    token = _current.set(_Context(context.headers, context.carriers))
    try:
        asked = context.carriers.of_request(context.request)
        return {**context.headers, **asked, **trace_headers()}
    finally:
        _current.reset(token)


def current(name: str) -> str | None:
    """What the carrier `name` holds for what is being handled now, as `current("tenant")`."""
    return current_context().get(name)


def current_carriers() -> Carriers | None:
    """The carriers of the service that handles something now."""
    return _current.get().carriers


def carried_by(headers: Mapping[str, str], carriers: Carriers | None = None) -> dict[str, str]:
    """Those of `headers` that are carried, and may be."""
    names = CARRIED if carriers is None else carriers.names
    return {name: headers[name] for name in names if _travels(name, headers.get(name, ""))}


@contextmanager
def carrying(
    headers: Mapping[str, str],
    carriers: Carriers | None = None,
    request: Request | None = None,
    **log_fields: str,
) -> Iterator[None]:
    """Carry those of `headers` that are carried, with `log_fields` on every log line.

    What was there before comes back after the block.
    """
    token = _current.set(_Context(carried_by(headers, carriers), carriers, request))
    try:
        with structlog.contextvars.bound_contextvars(**log_fields):
            yield
    finally:
        _current.reset(token)


def add_context_fields(logger: Any, method: str, line: Any) -> Any:
    """A processor of structlog: what is carried goes onto every line."""
    try:
        carried = current_context()
    except Exception:
        # The line may be the one that tells why.
        carried = _current.get().headers
    for name, value in carried.items():
        line.setdefault(name.replace("-", "_"), value)
    return line


def is_usable(value: str) -> bool:
    """Whether `value`, which comes from outside, may go into headers, rows and log lines."""
    return 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable()


def is_environment(value: str) -> bool:
    """Whether `value` can be the name of an environment."""
    return _ENVIRONMENT.fullmatch(value) is not None


def _travels(name: str, value: str) -> bool:
    return is_environment(value) if name == ENVIRONMENT else is_usable(value)
