"""The command: read the options, run, show the result, exit with its code."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from app.building_blocks.errors import ConfigurationError
from app.settings import Settings, load_settings
from tests.faults.console import Console
from tests.faults.errors import CannotRunError
from tests.faults.options import Options, read_options
from tests.faults.result import Result
from tests.faults.run import run

_GOOD, _BROKEN, _COULD_NOT_RUN, _INTERRUPTED = 0, 1, 2, 130


def main() -> int:
    """The exit code."""
    options = read_options()
    progress = Console(sys.stderr if options.json else sys.stdout)
    try:
        settings = load_settings()
        result = asyncio.run(_interruptible(options, settings, progress))
    except ConfigurationError as error:
        progress.write("\n".join(f"Cannot run: {problem}" for problem in error.problems))
        return _COULD_NOT_RUN
    except CannotRunError as error:
        progress.write(f"Cannot run: {error}")
        return _COULD_NOT_RUN
    except (KeyboardInterrupt, asyncio.CancelledError):
        progress.write("Interrupted: the processes are ended.")
        return _INTERRUPTED
    if options.json:
        sys.stdout.write(result.as_json() + "\n")
    result.show(progress)
    return _GOOD if result.good else _BROKEN


async def _interruptible(options: Options, settings: Settings, progress: Console) -> Result:
    """Run; Ctrl-C and SIGTERM end it. Of several reasons why it cannot run, tell the first."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        # Once: a second Ctrl-C must not interrupt the ending of the processes.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: task.cancelling() or task.cancel())
    logs = options.logs or Path(tempfile.mkdtemp(prefix="faults-"))
    logs.mkdir(parents=True, exist_ok=True)
    progress.write(f"seed {options.seed}; logs and ledger in {logs}")
    try:
        return await run(options, settings, logs, progress)
    except BaseExceptionGroup as group:
        reasons = group.subgroup(CannotRunError)
        if reasons is None:
            raise
        raise _first(reasons) from None


def _first(group: BaseExceptionGroup[CannotRunError]) -> CannotRunError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


if __name__ == "__main__":
    sys.exit(main())
