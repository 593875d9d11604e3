"""Logs: lines for people, or JSON for machines, with the context of what is being handled."""

import logging
import os
import sys
from io import StringIO
from typing import Any, Literal, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from app.building_blocks.context import add_context_fields
from app.building_blocks.text import printable

_FIELDS: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    add_context_fields,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(level: str, form: Literal["console", "json"]) -> None:
    """Send structlog's and the standard library's loggers through one handler to stderr.

    `level` is that of the service's own loggers. Those of libraries tell INFO at most: what
    drivers of databases and brokers write at DEBUG are the payloads that they carry.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_FIELDS,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_FIELDS,
            processors=[ProcessorFormatter.remove_processors_meta, *_renderers(form)],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel("INFO" if level == "DEBUG" else level)
    logging.getLogger("app").setLevel(level)
    logging.captureWarnings(True)
    # The server has set up handlers of its own before the app was imported.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Who did what to the messages is told however quiet the rest is.
    logging.getLogger("app.audit").setLevel("INFO")
    # Alembic tells at each readiness check which dialect it found.
    logging.getLogger("alembic").setLevel("WARNING")


def _renderers(form: Literal["console", "json"]) -> list[Any]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # https://no-color.org
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_plain_trace)]


def _plain_trace(out: TextIO, exc_info: Any) -> None:
    """Rich ones would print local variables, and with them payloads and secrets.

    An exception may quote a message, which must not drive the terminal.
    """
    trace = StringIO()
    structlog.dev.plain_traceback(trace, exc_info)
    out.write(printable(trace.getvalue()))
