"""FastAPI's own span for each request, as a part of the service's traces."""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider

_POLLED = ("/health/", "/metrics")


def telemetry(provider: TracerProvider | None) -> TelemetryConfig:
    """A server span of `provider` for each request but probes and scrapes; none without one."""
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "operation_spans": False,
        # `exporting.py` does that, for every span.
        "auto_configure": False,
        "exclude": _is_polled,
    }


def _is_polled(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path")).startswith(_POLLED)
