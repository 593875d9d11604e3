"""Traces are on when OpenTelemetry's variables ask for them, and the last spans go out."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from app.building_blocks import exporting
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.exporting import flush, tracer_provider
from app.building_blocks.tracing import Tracing
from tests.collector import Collector
from tests.waiting import eventually

PROJECT = Path(__file__).parents[1]
STOP_DEADLINE = 30.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        serving = threading.Thread(target=collector.serve_forever)
        serving.start()
        yield collector
        collector.shutdown()
        serving.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing but what a test sets: no `.env` and no OTEL_ variable of the caller's."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"},
    ],
)
def test_nothing_is_traced_unless_it_is_asked_for(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracer_provider("shop") is None


def test_an_exporter_that_is_not_installed_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "jaeger")
    with pytest.raises(ConfigurationError, match=r"names 'jaeger'.* use otlp, console or none"):
        tracer_provider("shop")


def test_without_the_extra_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    for module in ("opentelemetry.sdk.resources", "opentelemetry.sdk.trace"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[tracing\]'"):
        tracer_provider("shop")


async def test_a_service_exports_its_spans_also_those_of_its_last_moment(
    collector: Collector, database_url: str, tmp_path: Path
) -> None:
    # As most people set it: in the `.env` of the folder that the service starts in.
    (tmp_path / ".env").write_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.url}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)),
        *("--app-dir", str(PROJECT)),
        cwd=tmp_path,
        env=os.environ
        | {"DATABASE_URL": database_url, "BROKER_URL": "memory://", "SERVICE_NAME": "traced-shop"}
        # Longer than the test: only the end can bring them out.
        | {"OTEL_BSP_SCHEDULE_DELAY": "600000"},
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def answers() -> bool:
                try:
                    return (await client.get("/orders?limit=1")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(answers, deadline=60, what="a service that answers")
        assert not collector.got
        service.send_signal(signal.SIGTERM)
        await asyncio.wait_for(service.wait(), STOP_DEADLINE)
    finally:
        if service.returncode is None:
            service.kill()
            await service.wait()
    [(path, body)] = collector.got
    assert path == "/v1/traces"
    assert b"traced-shop" in body
    assert b"GET /orders" in body


class Stuck(SpanExporter):
    """A collector that takes no end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def export(self, spans: object) -> SpanExportResult:
        self.may_end.wait()
        return SpanExportResult.FAILURE


async def test_a_collector_that_does_not_answer_keeps_no_service_from_stopping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "_LONGEST_FLUSH_SECONDS", 0.1)
    stuck = Stuck()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(stuck))
    with Tracing(provider).command("CreateOrder"):
        pass
    started = time.monotonic()
    await flush(provider)
    assert time.monotonic() - started < 2
    stuck.may_end.set()
    await asyncio.to_thread(provider.shutdown)
