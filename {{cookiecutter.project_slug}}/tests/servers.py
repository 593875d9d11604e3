"""What a test says when the server that it needs is not there."""

import os
import socket

import pytest


def require_server(name: str, host: str | None, port: int, compose_service: str) -> None:
    """Skip with a sentence when nobody listens there; in CI (`CI=true`) fail instead."""
    try:
        socket.create_connection((host or "127.0.0.1", port), timeout=3).close()
    except OSError as error:
        sentence = (
            f"{name} does not answer at {host}:{port} ({error}). "
            f"Start it with: docker compose up -d {compose_service}"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
