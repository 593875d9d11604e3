"""What happens around every command. `main.py` says which of these, and in which order."""

import time
from typing import Any

import structlog

from app.building_blocks.mediator import Behaviour, CallNext
from app.building_blocks.messages import Command
from app.building_blocks.tracing import Tracing

log = structlog.get_logger(__name__)


def trace_commands(tracing: Tracing) -> Behaviour:
    """A span for each command, with its name. No payload."""

    async def trace(command: Command[Any], call_next: CallNext) -> Any:
        with tracing.command(type(command).__name__):
            return await call_next(command)

    return trace


async def log_commands(command: Command[Any], call_next: CallNext) -> Any:
    """One debug line for each command: its name, how long it took, how it ended. No payload."""
    started = time.perf_counter()
    outcome = "failed"
    try:
        result = await call_next(command)
        outcome = "done"
        return result
    finally:
        took = round((time.perf_counter() - started) * 1000, 1)
        log.debug("command", command=type(command).__name__, outcome=outcome, ms=took)
