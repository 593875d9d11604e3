"""The broker's URL, and the same by way of a proxy."""

import os
from urllib.parse import urlsplit

import pytest

from app.settings import load_settings
from tests.servers import require_server


def broker_url() -> str:
    """TEST_BROKER_URL, else the service's own. Skips the test when no server answers there."""
    url = os.environ.get("TEST_BROKER_URL") or load_settings().broker_url
    address = urlsplit(url)
    if address.scheme == "memory":
        pytest.skip("BROKER_URL is memory:// here: name a server in TEST_BROKER_URL.")
    assert address.port, "Write the port into TEST_BROKER_URL, so that it can be looked for."
    require_server("The broker", address.hostname, address.port, "broker")
    return url


def through(url: str, port: int) -> str:
    """`url` with a port on loopback in the place of its host and port."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}127.0.0.1:{port}").geturl()
