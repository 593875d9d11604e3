"""What a person sees while it runs."""

import os
import time
from typing import TextIO


class Console:
    """Lines with the seconds since the start, coloured on a terminal unless NO_COLOR is set."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # https://no-color.org
        self._colours = stream.isatty() and not os.environ.get("NO_COLOR")
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def tell(self, text: str) -> None:
        """A line with the time."""
        self.write(f"{self.elapsed:7.1f} s  {text}")

    def write(self, text: str = "") -> None:
        """A line as it is, at once, also into a pipe."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def good(self, text: str) -> str:
        """`text` in green."""
        return self._paint(text, 32)

    def bad(self, text: str) -> str:
        """`text` in red."""
        return self._paint(text, 31)

    def _paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text
