"""Where spans go, by OpenTelemetry's own environment variables."""

import asyncio
import os
import threading
from importlib.metadata import entry_points
from typing import Any

from dotenv import dotenv_values
from opentelemetry import trace

from app.building_blocks.errors import ConfigurationError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PACKAGED_AS = {"otlp": "otlp_proto_http"}
_LONGEST_FLUSH_SECONDS = 3.0


def tracer_provider(service: str) -> trace.TracerProvider | None:
    """What makes spans and exports them, as `service.name`; None when nothing asks for traces.

    `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_TRACES_EXPORTER` ask for them; the SDK reads its other
    variables. It becomes the provider of the whole process, so that instrumentation of other
    libraries joins in; if there is one already, it is used. Raises ConfigurationError.
    """
    _read_dotenv()
    names = _exporters()
    if not names:
        return None
    try:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an optional extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            "OTEL_ variables ask for traces, but the SDK is not installed: install the extra "
            "`tracing` (pip install '.[tracing]'), or set OTEL_SDK_DISABLED=true."
        ) from None
    if isinstance(present := trace.get_tracer_provider(), TracerProvider):
        return present
    resource = Resource.create({"service.name": service})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in [_load(name) for name in names]:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


async def flush(provider: trace.TracerProvider | None) -> None:
    """Export what is left, for a few seconds. uvicorn ends by a signal: no `atexit` would do it."""
    force: Any = getattr(provider, "force_flush", None)
    if force is not None:
        # The SDK has no limit of its own; what a collector keeps waiting ends with the process.
        flushing = threading.Thread(target=force, daemon=True)
        flushing.start()
        await asyncio.to_thread(flushing.join, _LONGEST_FLUSH_SECONDS)


def _exporters() -> list[str]:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return []
    default = "otlp" if any(os.environ.get(name) for name in _ENDPOINTS) else ""
    wanted = os.environ.get("OTEL_TRACES_EXPORTER") or default
    return [name for name in map(str.strip, wanted.split(",")) if name not in ("", "none")]


def _load(name: str) -> Any:
    packaged_as = _PACKAGED_AS.get(name, name)
    found = entry_points(group="opentelemetry_traces_exporter", name=packaged_as)
    if not found:
        raise ConfigurationError(
            f"OTEL_TRACES_EXPORTER names {name!r}, and no installed package has that exporter: "
            "use otlp, console or none, or install the package that has it."
        )
    return next(iter(found)).load()()


def _read_dotenv() -> None:
    """The SDK looks at the environment only, and a `.env` is read for every other setting."""
    for name, value in dotenv_values(".env").items():
        if name.startswith("OTEL_") and value:
            os.environ.setdefault(name, value)
