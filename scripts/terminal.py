"""What a person sees while a script works: steps with elapsed seconds, colours on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Mapping, Sequence

PLAIN_INTERVAL = 5.0  # seconds between progress lines where a line cannot be rewritten
LIVE_INTERVAL = 0.5


class StepFailedError(Exception):
    """A step did not work; the text says what happened and what to do next."""


def paint(text: str, code: str) -> str:
    """Colour `text` with an ANSI code, only on a terminal and unless NO_COLOR is set."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\x1b[{code}m{text}\x1b[0m"
    return text


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file, or a word that it is empty."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(nothing was logged)"


def run_step(
    title: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    advice: str,
    cwd: Path,
    environment: Mapping[str, str],
) -> None:
    """Run `command` to its end, its output in `log`, and show how long it has been running.

    Raises StepFailedError with `advice` and the log's tail when it does not exit with 0.
    """
    started = time.monotonic()
    live = sys.stdout.isatty()
    if not live:
        say(f"  {title} ...")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = _wait_showing_progress(process, title, started, live=live)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    elapsed = time.monotonic() - started
    if code != 0:
        message = f"{title}: failed after {elapsed:.0f} s. {advice}"
        raise StepFailedError(f"{message}\nThe end of {log}:\n{tail(log)}")
    start_of_line = "\r" if live else ""
    say(f"{start_of_line}{paint('✓', '32')} {title}  {elapsed:.1f} s")


def _wait_showing_progress(
    process: subprocess.Popen[bytes], title: str, started: float, *, live: bool
) -> int:
    while True:
        try:
            return process.wait(timeout=LIVE_INTERVAL if live else PLAIN_INTERVAL)
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - started
            if live:
                print(f"\r… {title}  {elapsed:.0f} s", end="", flush=True)
            else:
                say(f"  {title} ... {elapsed:.0f} s")
