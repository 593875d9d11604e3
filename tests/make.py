"""A baked service's own tools: `make` with the tests' environment as its .venv, lint-imports."""

import os
import sys
import tempfile
from pathlib import Path

from programs import Done, finish
from service import RUN_DEADLINE, environment

TOOLS = ("alembic", "lint-imports", "mypy", "pre-commit", "python", "ruff", "uvicorn")
# Nothing that make runs may ask the network: nobody listens there.
OFFLINE = {f"{name}_proxy": "http://127.0.0.1:9" for name in ("http", "https", "all")}

# Kept between runs, where tests/test_bake_matrix.py keeps it: without one mypy takes a minute.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
MYPY_CACHE = Path(tempfile.gettempdir(), "cookiecutter-fastapi-events", f"mypy-{WORKER}")
CACHES = {"MYPY_CACHE_DIR": str(MYPY_CACHE), "RUFF_NO_CACHE": "true"}


def install(service: Path) -> None:
    """Do what `make install` does, in no time: the tools in .venv are the tests' own."""
    folder = service / ".venv" / "bin"
    folder.mkdir(parents=True)
    for tool in TOOLS:
        own = Path(sys.executable).parent / tool
        (folder / tool).write_text(f'#!/bin/sh\nexec "{own}" "$@"\n', "utf-8")
        (folder / tool).chmod(0o755)
    (folder / ".installed").touch()


def make(service: Path, *arguments: str, **settings: str) -> Done:
    """Run make, offline; what it wrote to both streams is in `stdout`."""
    return _run(service, "make", *arguments, **OFFLINE, **CACHES, **settings)


def lint_imports(service: Path) -> Done:
    """Check the dependency rules. The module can be run with -m, but does nothing then."""
    tool = Path(sys.executable).parent / "lint-imports"
    return _run(service, str(tool), "--no-cache", "--no-logo")


def _run(service: Path, *command: str, **settings: str) -> Done:
    # What the make that runs these tests was told is nothing to the one in the service.
    kept = {name: text for name, text in environment(**settings).items() if "MAKE" not in name}
    return finish(command, folder=service, env=kept, deadline=RUN_DEADLINE)
