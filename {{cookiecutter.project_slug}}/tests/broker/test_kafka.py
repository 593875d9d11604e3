"""What is Kafka's own: its wire format, its offsets, what it refuses, how it goes away."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import UnknownTopicOrPartitionError  # type: ignore[import-untyped]
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.kafka.adapter import KafkaAdapter
from app.building_blocks.brokers.kafka.connection import read_address
from app.building_blocks.brokers.kafka.flight import IN_FLIGHT
from app.building_blocks.brokers.kafka.offsets import Progress
from app.building_blocks.brokers.kafka.producer import MAX_REQUEST_BYTES
from app.building_blocks.brokers.kafka.reader import KafkaReader
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.proxy import Proxy
from tests.own_broker import MockCluster

PRODUCE, JOIN_GROUP, HEARTBEAT = 0, 11, 12  # kinds of requests, by Kafka's protocol
TOO_LARGE, NOT_ENOUGH_REPLICAS, FORBIDDEN_TOPIC, FORBIDDEN_GROUP, OUT_OF_ORDER = 10, 19, 29, 30, 45


class Program:
    """Another program on the same cluster, with librdkafka."""

    def __init__(self, url: str) -> None:
        self._settings = {"bootstrap.servers": urlsplit(url).netloc}

    async def send(self, topic: str, value: bytes | None, **record: Any) -> None:
        producer = Producer(self._settings)
        producer.produce(topic, value, **record)
        assert await asyncio.to_thread(producer.flush, DEADLINE) == 0

    async def read_one(self, topic: str) -> Message:
        """The only record of a topic."""
        consumer = Consumer({**self._settings, "group.id": "unused"})
        partitions = consumer.list_topics(topic, DEADLINE).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        message = await asyncio.to_thread(consumer.poll, DEADLINE)
        consumer.close()
        assert message is not None
        assert message.error() is None
        return message


@pytest.fixture
def program(bench: Bench) -> Program:
    return Program(bench.url)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MockCluster:
    """A server to do harm to, whichever the other tests use."""
    monkeypatch.setattr(KafkaReader, "session_timeout", MockCluster.SESSION_TIMEOUT)
    return MockCluster()


@pytest_asyncio.fixture
async def victim(cluster: MockCluster) -> AsyncIterator[Bench]:
    """Makes adapters of that server."""
    bench = Bench(cluster.url)
    yield bench
    await bench.stop()


async def test_the_wire_format_is_the_cloudevents_kafka_binding(
    bench: Bench, program: Program
) -> None:
    adapter = bench.publisher()
    await adapter.start()
    headers = {"ce-id": "7", "content-type": "text/x", "x-a": "blå"}
    await adapter.publish(BrokerMessage(bench.topic, b"{}", headers, key="ключ"))
    record = await program.read_one(bench.topic)
    assert (record.value(), record.key()) == (b"{}", "ключ".encode())
    assert sorted(record.headers() or []) == [
        ("ce_id", b"7"),
        ("ce_subject", "ключ".encode()),
        ("content-type", b"text/x"),
        ("x-a", "blå".encode()),
    ]


async def test_what_a_foreign_program_sends_is_received(bench: Bench, program: Program) -> None:
    adapter = bench.listener()
    await adapter.start()
    headers = [("ce_id", b"1"), ("raw", b"\xff"), ("none", None)]
    await program.send(bench.topic, None, key="k", headers=headers)
    await until(lambda: bench.received)
    expected = {"ce-id": "1", "raw": "\N{REPLACEMENT CHARACTER}", "none": ""}
    assert bench.received == [BrokerMessage(bench.topic, b"", expected, key="k")]


async def test_deliveries_run_side_by_side_up_to_a_limit(bench: Bench) -> None:
    running, most, release = 0, 0, asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await release.wait()
        running -= 1
        await bench.keep(message)

    adapter = bench.listener(receive)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(50)))
    await until(lambda: running == IN_FLIGHT == 20)
    release.set()
    await until(lambda: len(bench.received) == 50)
    assert most == IN_FLIGHT


def test_only_what_lies_before_the_first_unfinished_record_is_committed() -> None:
    progress = Progress()
    for offset in (5, 6, 9):
        progress.begin(offset)
    assert progress.position == progress.committed == 5
    progress.finish(6)
    assert progress.position == 5
    progress.finish(5)
    assert progress.position == 9
    progress.finish(9)
    assert progress.position == 10


async def test_a_delivery_that_cancels_itself_comes_again(bench: Bench) -> None:
    times: list[float] = []

    async def receive(message: BrokerMessage) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            raise asyncio.CancelledError
        await bench.keep(message)

    adapter = bench.listener(receive, retry_pause=0.2)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    assert times[1] - times[0] >= 0.1


async def test_a_refused_message_names_itself_and_stops_no_other(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    refused = [
        BrokerMessage("orders é", b"", {}),
        BrokerMessage("x" * 250, b"", {}),
        bench.message(headers={"x-half": "\ud800"}),
        bench.message(headers={"\ud800": "half"}),
        bench.message(key="\ud800"),
        bench.message(bytes(MAX_REQUEST_BYTES)),
    ]
    healthy = [bench.message(b"%03d" % number) for number in range(100)]
    messages = [*healthy[:50], *refused, *healthy[50:]]
    outcomes = await asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    by_outcome = [type(outcome) for outcome in outcomes]
    assert by_outcome.count(MessageRefusedError) == len(refused), outcomes
    assert by_outcome.count(type(None)) == len(healthy)
    await until(lambda: len(bench.received) >= len(healthy))
    assert bench.bodies() == sorted(message.body for message in healthy)


async def test_a_topic_that_does_not_come_into_being_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = bench.publisher()
    await adapter.start()

    async def miss(*_: Any, **__: Any) -> None:
        raise UnknownTopicOrPartitionError

    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaProducer, "send", miss)
        with pytest.raises(MessageRefusedError, match=bench.topic):
            await adapter.publish(bench.message())
    await adapter.publish(bench.message())


@pytest.mark.parametrize("error", [TOO_LARGE, FORBIDDEN_TOPIC])
async def test_publishing_goes_on_after_the_server_refused_a_message(
    victim: Bench, cluster: MockCluster, error: int
) -> None:
    adapter = victim.listener()
    await adapter.start()
    cluster.refuse_next(PRODUCE, error)
    with pytest.raises(MessageRefusedError):
        await adapter.publish(victim.message(b"large"))
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])


async def test_a_producer_that_lost_its_place_is_replaced_at_once(
    victim: Bench, cluster: MockCluster
) -> None:
    adapter = victim.listener()
    await adapter.start()
    cluster.refuse_next(PRODUCE, OUT_OF_ORDER)
    bodies = [b"%03d" % number for number in range(100)]
    await asyncio.gather(*(adapter.publish(victim.message(body)) for body in bodies))
    await until(lambda: set(victim.bodies()) == set(bodies))


async def test_too_few_replicas_are_no_message_s_fault(victim: Bench, cluster: MockCluster) -> None:
    adapter = victim.publisher(timeout=0.5)
    await adapter.start()
    await adapter.publish(victim.message())
    cluster.refuse_next(PRODUCE, *[NOT_ENOUGH_REPLICAS] * 4)
    with pytest.raises(BrokerUnavailableError):
        await adapter.publish(victim.message())

    async def goes_out() -> bool:
        with suppress(BrokerUnavailableError):
            await adapter.publish(victim.message())
            return True
        return False

    await until(goes_out)


async def test_a_reader_that_its_group_refuses_joins_again(
    victim: Bench, cluster: MockCluster, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = victim.listener(retry_pause=0.2)
    await adapter.start()
    cluster.refuse_next(HEARTBEAT, FORBIDDEN_GROUP)
    with caplog.at_level(logging.WARNING):
        await until(lambda: "joins its group again" in caplog.text)
    await until(adapter.is_connected)
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])


async def test_a_start_that_fails_half_way_leaves_no_connection(
    victim: Bench, cluster: MockCluster
) -> None:
    proxy = Proxy(cluster.url)
    await proxy.open()
    adapter = victim.listener(url=proxy.url)
    cluster.refuse_next(JOIN_GROUP, FORBIDDEN_GROUP)
    with pytest.raises(BrokerUnavailableError, match="GroupAuthorization"):
        await adapter.start()
    await until(lambda: proxy.connections == 0)
    await adapter.start()
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])
    await victim.stop()
    await proxy.close()


async def test_publishing_and_consuming_go_on_after_a_restart_of_the_server(
    victim: Bench, cluster: MockCluster
) -> None:
    adapter = victim.listener(timeout=1.0)
    await adapter.start()
    confirmed = {b"before"}
    await adapter.publish(victim.message(b"before"))
    for number in range(3):
        cluster.go_down()
        try:
            with pytest.raises(BrokerUnavailableError):
                await adapter.publish(victim.message(b"lost"))
            assert not await adapter.is_connected()
        finally:
            cluster.come_up()
        await until(adapter.is_connected)
        await adapter.publish(victim.message(b"%d" % number))
        confirmed.add(b"%d" % number)
    await until(lambda: confirmed <= set(victim.bodies()))


async def test_publishing_and_consuming_go_on_with_a_server_that_forgot_everything(
    victim: Bench, cluster: MockCluster
) -> None:
    proxy = Proxy(cluster.url)
    await proxy.open()
    adapter = victim.listener(url=proxy.url, timeout=1.0)
    await adapter.start()
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])
    proxy.cut()
    proxy._server_url = MockCluster().url
    await proxy.open()
    await until(adapter.is_connected)

    async def arrives() -> bool:
        with suppress(BrokerUnavailableError):
            await adapter.publish(victim.message(b"2"))
        return b"2" in victim.bodies()

    await until(arrives)
    await victim.stop()
    await proxy.close()


async def test_what_a_replica_had_when_it_vanished_is_delivered_to_another(
    bench: Bench, proxy: Proxy
) -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def hold(message: BrokerMessage) -> None:
        begun.set()
        await over.wait()

    vanishing, other = bench.listener(hold, url=proxy.url, timeout=1.0), bench.listener()
    await vanishing.start()
    await vanishing.publish(bench.message(b"1"))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    proxy.cut()
    await other.start()
    await until(lambda: bench.bodies() == [b"1"])
    over.set()


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://host",
        "kafka://host:port",
        "kafka://one:9092,two",
        "kafka://one:9092/topic",
        "kafka://one:9092?acks=0",
        "kafka://u:p@one:9092?sasl_mechanism=GSSAPI",
    ],
)
def test_a_url_that_says_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|sasl_mechanism|Port"):
        KafkaAdapter(url, "test")


def test_a_url_names_servers_login_and_mechanism() -> None:
    plain = read_address("kafka://one:1,two:2", "test").settings(1)
    assert plain["bootstrap_servers"] == ["one:1", "two:2"]
    assert plain["security_protocol"] == "PLAINTEXT"
    login = read_address("kafka://u%40x:p%3Aw@one:1", "test").settings(1)
    assert login["security_protocol"] == "SASL_PLAINTEXT"
    assert (login["sasl_mechanism"], login["sasl_plain_username"]) == ("PLAIN", "u@x")
    assert login["sasl_plain_password"] == "p:w"
    tls = read_address("kafka+ssl://u:p@one:1?sasl_mechanism=SCRAM-SHA-512", "test").settings(1)
    assert (tls["security_protocol"], tls["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert tls["ssl_context"] is not None
    assert read_address("kafka+ssl://one:1", "test").settings(1)["security_protocol"] == "SSL"
