"""Brokers for one test: real servers, with nobody else's events in them."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from server_process import ServerProcess, free_port
from servers import require

# An event of one mebibyte with its headers is a little more than a server takes by itself.
NATS_CONFIGURATION = """
listen: 127.0.0.1:{port}
max_payload: 2MB
jetstream {{ store_dir: "{folder}" }}
"""


@contextmanager
def scratch_broker(name: str) -> Iterator[str]:
    """The URL of a broker that nobody else's events reach, for the length of a block."""
    make: dict[str, Callable[[], AbstractContextManager[str]]] = {
        "rabbitmq": _rabbitmq,
        "kafka": _kafka,
        "nats": partial(_own, "nats", nats_server),
        "redis": partial(_own, "redis", redis_server),
    }
    if name == "memory":
        yield "memory://"
        return
    with make[name]() as url:
        yield url


def nats_server(folder: Path) -> ServerProcess:
    """A NATS server of the test's own, not started yet; it finds its events in `folder` again."""
    settings = folder / "nats.conf"

    def command(port: int) -> list[str]:
        settings.write_text(NATS_CONFIGURATION.format(port=port, folder=folder), "utf-8")
        return ["nats-server", "--config", str(settings)]

    return ServerProcess("nats://127.0.0.1:{port}", command)


def redis_server(folder: Path) -> ServerProcess:
    """A Redis server of the test's own, not started yet; it finds its events in `folder` again."""

    def command(port: int) -> list[str]:
        return [
            *("redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        ]

    return ServerProcess("redis://127.0.0.1:{port}/0", command)


def rabbitmq_server(folder: Path) -> ServerProcess:
    """A RabbitMQ node of the test's own, not started yet; it finds its queues in `folder` again."""

    settings = folder / "rabbitmq.conf"

    def command(port: int) -> list[str]:
        settings.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n", "utf-8")
        return ["rabbitmq-server"]

    def variables(port: int) -> dict[str, str]:
        return {
            "RABBITMQ_NODENAME": f"scratch{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(settings),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        }

    return ServerProcess("amqp://guest:guest@127.0.0.1:{port}/", command, variables)


@contextmanager
def _rabbitmq() -> Iterator[str]:
    """A virtual host. Where rabbitmqctl cannot make one (a server in a container), the server's
    own is used: tests that share it must run one after the other."""
    server = require("rabbitmq")
    host = f"scratch_{uuid.uuid4().hex[:12]}"
    user = server.username or "guest"
    if not (
        rabbitmqctl("add_vhost", host)
        and rabbitmqctl("set_permissions", "-p", host, user, ".*", ".*", ".*")
    ):
        yield f"amqp://{server.netloc}/"
        return
    try:
        yield f"amqp://{server.netloc}/{host}"
    finally:
        rabbitmqctl("delete_vhost", host)


@contextmanager
def _kafka() -> Iterator[str]:
    """The cluster in KAFKA_SERVER, else librdkafka's mock cluster, over the real protocol."""
    if server := os.environ.get("KAFKA_SERVER"):
        yield server
        return
    from confluent_kafka import Producer

    cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock"})
    [broker] = cluster.list_topics(timeout=10).brokers.values()
    yield f"kafka://{broker.host}:{broker.port}"
    del cluster


@contextmanager
def _own(name: str, make: Callable[[Path], ServerProcess]) -> Iterator[str]:
    """A server of the test's own; where its program is missing, the one that runs here."""
    with tempfile.TemporaryDirectory() as folder:
        server = make(Path(folder))
        if not server.is_installed:
            yield f"{name}://{require(name).netloc}"
            return
        with server:
            yield server.url


def rabbitmqctl(*arguments: str) -> bool:
    """Whether the command was there and did it."""
    program = shutil.which("rabbitmqctl")
    if program is None:
        return False
    command = [program, "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode == 0
