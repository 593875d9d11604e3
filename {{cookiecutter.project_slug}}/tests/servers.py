"""What a test says when a program or a server that it needs is not there."""

import os
import socket
from typing import NoReturn

import pytest


def missing(sentence: str) -> NoReturn:
    """Skip the test with `sentence`; in CI (`CI=true`) fail it instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def require_server(name: str, host: str | None, port: int, compose_service: str) -> None:
    """The server is `missing` when nobody listens there."""
    try:
        socket.create_connection((host or "127.0.0.1", port), timeout=3).close()
    except OSError as error:
        missing(
            f"{name} does not answer at {host}:{port} ({error}). "
            f"Start it with: docker compose up -d {compose_service}"
        )
