"""The broker of this service, as its tests reach it: a cluster inside this process by default.

librdkafka, the C library below confluent-kafka, brings one for tests. It speaks the protocol of
Kafka over TCP and keeps everything in memory.
"""

import asyncio
import ctypes
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import confluent_kafka
from aiokafka.consumer.group_coordinator import GroupCoordinator  # type: ignore[import-untyped]

from app.building_blocks.brokers.kafka.reader import KafkaReader

DROPS_DUPLICATES = False
"""Whether it knows a message by its id and drops the second, before a consumer sees it."""

_ADDRESS = re.compile(rb"(\x00\x09(?:127\.0\.0\.1|localhost))....", re.DOTALL)


class MockCluster:
    """A cluster of one server, which knows groups and keeps records, but checks little.

    A member that comes back to its group waits for a session less a second, so sessions should
    be short: SESSION_TIMEOUT, in seconds.
    """

    SESSION_TIMEOUT = 3.0

    def __init__(self) -> None:
        _let_leaders_wait()
        self._library = _librdkafka()
        settings = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(settings, b"log_level", b"0", None, 0)
        owner = self._library.rd_kafka_new(0, settings, None, 0)
        self._cluster = self._library.rd_kafka_mock_cluster_new(owner, 1)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        address = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        self.url = f"kafka://{address.decode()}"

    def go_down(self) -> None:
        """Refuse connections and drop those there are; what it keeps stays."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def come_up(self) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)

    def refuse_next(self, api_key: int, *error_codes: int) -> None:
        """Answer the next requests of a kind with these errors of the protocol, one each."""
        codes = (ctypes.c_int * len(error_codes))(*error_codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, api_key, len(error_codes), codes
        )


def own_broker_url() -> str:
    """TEST_BROKER_URL, else that of a cluster inside this process."""
    return os.environ.get("TEST_BROKER_URL") or _own_cluster().url


@cache
def _own_cluster() -> MockCluster:
    KafkaReader.session_timeout = MockCluster.SESSION_TIMEOUT
    return MockCluster()


def redirected(answer: bytes, port: int) -> bytes:
    """What the server says, for a client behind the proxy on `port`.

    Kafka tells its clients where to connect to: a string with its length, then the port.
    """
    return _ADDRESS.sub(lambda found: found[1] + port.to_bytes(4, "big"), answer)


@cache
def _let_leaders_wait() -> None:
    """The mock turns down a member that asks for its partitions after the leader gave them out.

    A server answers it.
    """
    assign = GroupCoordinator._perform_assignment

    async def assign_late(*arguments: Any) -> Any:
        await asyncio.sleep(0.1)
        return await assign(*arguments)

    GroupCoordinator._perform_assignment = assign_late


@cache
def _librdkafka() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    places = (package.parent / "confluent_kafka.libs", package / ".dylibs")
    libraries = [file for place in places for file in place.glob("librdkafka*")]
    assert libraries, "confluent-kafka has no librdkafka here: name a server in TEST_BROKER_URL."
    loaded = ctypes.CDLL(str(libraries[0]))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    integer, size = ctypes.c_int, ctypes.c_size_t
    for name, answer, *arguments in (
        ("conf_new", pointer),
        ("conf_set", integer, pointer, text, text, pointer, size),
        ("new", pointer, integer, pointer, pointer, size),
        ("mock_cluster_new", pointer, pointer, integer),
        ("mock_cluster_bootstraps", text, pointer),
        ("mock_group_initial_rebalance_delay_ms", None, pointer, ctypes.c_int32),
        ("mock_broker_set_down", integer, pointer, ctypes.c_int32),
        ("mock_broker_set_up", integer, pointer, ctypes.c_int32),
        ("mock_push_request_errors_array", None, pointer, ctypes.c_int16, size, pointer),
    ):
        function = getattr(loaded, f"rd_kafka_{name}")
        function.restype, function.argtypes = answer, arguments
    return loaded
