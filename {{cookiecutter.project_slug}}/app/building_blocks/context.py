"""What travels with a request: correlation and causation ids and the trace context.

From HTTP into the outbox row's headers, over the broker, into the handler and its log lines.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

CORRELATION_ID = "correlation-id"
CAUSATION_ID = "causation-id"
TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

CARRIED = (CORRELATION_ID, CAUSATION_ID, TRACEPARENT, TRACESTATE)
"""The headers that cross the broker, both ways. Add your own here."""

_LONGEST = 512
_NOTHING: Mapping[str, str] = {}
_current: ContextVar[Mapping[str, str]] = ContextVar("context", default=_NOTHING)


def current_context() -> Mapping[str, str]:
    """The carried headers of the request or message that is being handled now."""
    return _current.get()


@contextmanager
def carrying(headers: Mapping[str, str], **log_fields: str) -> Iterator[None]:
    """Carry those of `headers` that are in `CARRIED`, with `log_fields` on every log line.

    What was there before comes back after the block.
    """
    carried = {name: headers[name] for name in CARRIED if is_usable(headers.get(name, ""))}
    token = _current.set(carried)
    log_fields |= {name.replace("-", "_"): value for name, value in carried.items()}
    try:
        with structlog.contextvars.bound_contextvars(**log_fields):
            yield
    finally:
        _current.reset(token)


def is_usable(value: str) -> bool:
    """Whether `value`, which comes from outside, may go into headers, rows and log lines."""
    return 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable()
