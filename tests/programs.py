"""Programs that a test runs to their end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

Done = subprocess.CompletedProcess[str]


def finish(
    command: Sequence[str | Path],
    *,
    deadline: float,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    typed: str = "",
) -> Done:
    """Run a command; what it wrote to both streams is in `stdout`.

    Raises TimeoutExpired after `deadline` seconds, and no error for any exit code.
    """
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=deadline,
        check=False,
    )
