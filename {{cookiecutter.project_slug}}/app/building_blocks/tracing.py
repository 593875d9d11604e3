"""Spans for OpenTelemetry: of a command, of a send and of each attempt at a message.

Names and attributes follow its semantic conventions for messaging. No span holds a payload or
the text of an error, which may quote one: the log has that, under the same trace id.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Attributes = dict[str, str | int]

_W3C = TraceContextTextMapPropagator()


def trace_headers() -> dict[str, str]:
    """`traceparent`, and perhaps `tracestate`, of the span that is open now; else nothing."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


class Send:
    """The span of a send. `headers` carry it to whoever receives the message."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.headers: dict[str, str] = {}
        _W3C.inject(self.headers, set_span_in_context(span, Context()))

    def end(self, error: BaseException | None = None) -> None:
        if error is not None:
            _note(error, self._span)
        self._span.end()


NO_SEND = Send(INVALID_SPAN)


class Tracing:
    """Opens spans of `provider`; without one none is ever open, and nothing is measured.

    `system` is the broker's name in the conventions.
    """

    def __init__(self, provider: TracerProvider | None = None, system: str = "") -> None:
        self._tracer = provider.get_tracer("app.building_blocks") if provider else None
        self._system = system

    def command(self, name: str) -> AbstractContextManager[None]:
        """Around a command, in the trace of the request, message or command that sent it."""
        if self._tracer is None:
            return nullcontext()
        return _span(self._tracer, name, SpanKind.INTERNAL, {})

    def send(self, topic: str, message_id: str, headers: Mapping[str, str]) -> Send:
        """Begin a send in the trace that the row's `headers` name. It is not the current span:
        many are under way at the same time."""
        if self._tracer is None:
            return NO_SEND
        attributes = self._attributes("send", topic, message_id, headers)
        within = _trace_of(headers)
        return Send(self._tracer.start_span(f"send {topic}", within, SpanKind.PRODUCER, attributes))

    def process(
        self, topic: str, message_id: str, headers: Mapping[str, str], consumer: str, attempt: int
    ) -> AbstractContextManager[None]:
        """Around the run number `attempt` of a handler, in the trace that `headers` name.

        Each attempt is a child of the send, so that a retry stands beside what failed.
        """
        if self._tracer is None:
            return nullcontext()
        attributes = self._attributes("process", topic, message_id, headers)
        attributes |= {"messaging.consumer.group.name": consumer, "app.attempt": attempt}
        name = f"process {topic}"
        return _span(self._tracer, name, SpanKind.CONSUMER, attributes, _trace_of(headers))

    def process_together(
        self, topic: str, headers: Mapping[str, Mapping[str, str]], consumer: str
    ) -> AbstractContextManager[None]:
        """Around one call of a handler for several messages, whose `headers` are by their ids.

        It is in none of their traces: it links to the send of each.
        """
        if self._tracer is None:
            return nullcontext()
        attributes: Attributes = {
            "messaging.system": self._system,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
            "messaging.consumer.group.name": consumer,
            "messaging.batch.message_count": len(headers),
        }
        links = [
            Link(sent, {"messaging.message.id": message_id})
            for message_id, its in headers.items()
            if (sent := get_current_span(_trace_of(its)).get_span_context()).is_valid
        ]
        name = f"process {topic}"
        return _span(self._tracer, name, SpanKind.CONSUMER, attributes, Context(), links)

    def _attributes(
        self, operation: str, topic: str, message_id: str, headers: Mapping[str, str]
    ) -> Attributes:
        return {
            "messaging.system": self._system,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": topic,
            "messaging.message.id": message_id,
            "messaging.message.conversation_id": headers.get("correlation-id", message_id),
        }


OFF = Tracing()


@contextmanager
def _span(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Attributes,
    within: Context | None = None,
    links: Sequence[Link] = (),
) -> Iterator[None]:
    with tracer.start_as_current_span(
        name, within, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as error:
            _note(error, span)
            raise


def _note(error: BaseException, span: Span) -> None:
    span.set_attribute("error.type", _name_of(type(error)))
    span.set_status(StatusCode.ERROR)


def _trace_of(headers: Mapping[str, str]) -> Context:
    # Of nothing but these: the span that is open here is that of another message, if any.
    return _W3C.extract(headers, Context())


def _name_of(error: type[BaseException]) -> str:
    is_builtin = error.__module__ == "builtins"
    return error.__qualname__ if is_builtin else f"{error.__module__}.{error.__qualname__}"
