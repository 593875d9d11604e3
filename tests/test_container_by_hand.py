"""The image's own files and commands, without Docker: it migrates, serves, is healthy and ends."""

import json
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from bakery import contents
from brokers import scratch_broker
from conftest import Baked
from image import Image
from server_process import free_port
from servers import scratch_database
from service import START_DEADLINE, STOP_DEADLINE, wait_until

# All in one worker: making an image takes longer than its tests.
pytestmark = pytest.mark.xdist_group("container")
CHOSEN = [("sqlite", "memory"), ("postgresql", "rabbitmq")]
ENDED_BY_SIGTERM = (0, -signal.SIGTERM)


@pytest.fixture(scope="module", params=CHOSEN, ids="-".join)
def image(request: pytest.FixtureRequest, baked: Baked) -> Iterator[Image]:
    """The image of a service. It is made with its run-time dependencies only."""
    with tempfile.TemporaryDirectory() as folder:
        yield Image(baked(*request.param), Path(folder))


@pytest.fixture
async def settings(image: Image, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """What compose.yaml sets, with servers of the test's own; the database is migrated."""
    compose = yaml.safe_load((image.service / "compose.yaml").read_text("utf-8"))["services"]
    given: dict[str, str] = compose["service"]["environment"]
    async with AsyncExitStack() as stack:
        if "database" in compose:
            database = scratch_database("postgresql", tmp_path)
            given["DATABASE_URL"] = await stack.enter_async_context(database)
            given["BROKER_URL"] = stack.enter_context(scratch_broker("rabbitmq"))
        migration = {"DATABASE_URL": given["DATABASE_URL"]}
        assert set(compose["migrate"]["environment"]) == set(migration)
        assert image.run(compose["migrate"]["command"], **migration) == 0, image.log
        yield given


@contextmanager
def serving(image: Image, url: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The image's CMD, ready at `url` instead of on its own port."""
    process = image.start(on_port(image.command, url), **settings)

    def ready() -> bool:
        assert process.poll() is None, image.log
        try:
            return httpx.get(f"{url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(ready, "the service is ready", START_DEADLINE)
        yield process
    finally:
        process.kill()
        process.wait()


def on_port(command: list[str], url: str) -> list[str]:
    assert any("8000" in word for word in command)
    return [word.replace("8000", str(urlsplit(url).port)) for word in command]


def test_its_files_and_commands_are_all_that_it_takes(
    image: Image, settings: dict[str, str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    health_check = on_port(image.health_check, url)
    files = contents(image.folder)
    with serving(image, url, **settings) as process:
        assert image.run(health_check) == 0
        # What the container may have for other machines is not asked on the way to itself.
        assert image.run(health_check, http_proxy="http://127.0.0.1:9") == 0, image.log
        body = {"customer": "ada", "amount": "12.50"}
        order = httpx.post(f"{url}/orders", json=body).json()["id"]
        wait_until(
            lambda: httpx.get(f"{url}/orders/{order}").json()["status"] == "paid", "it is paid"
        )
        logged_before = image.log
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE) in ENDED_BY_SIGTERM
    ending = image.log.removeprefix(logged_before)
    assert "Application shutdown complete" in ending
    assert image.run(health_check) != 0
    assert contents(image.folder) == files, "it wrote into its own folder"
    for line in logged_before.splitlines():
        assert json.loads(line) if line.startswith("{") else "alembic" in line, line


def test_a_request_that_never_ends_does_not_keep_it_from_ending(
    image: Image, settings: dict[str, str]
) -> None:
    place = image.command.index("--timeout-graceful-shutdown") + 1
    assert int(image.command[place]) == 10
    url = f"http://127.0.0.1:{free_port()}"
    with (
        serving(image, url, **settings) as process,
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 30) as client,
    ):
        client.sendall(
            b"POST /orders HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        logged_before = image.log
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE) in ENDED_BY_SIGTERM
    assert "Application shutdown complete" in image.log.removeprefix(logged_before)
