"""Whose streams there are, what they capture and when they are full."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
import pytest_asyncio

from app.building_blocks.brokers.adapter import (
    BrokerAdapter,
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.nats.adapter import NatsAdapter
from tests.broker.bench import Bench, until
from tests.broker.nats.outsider import Outsider, durable_of

Adapters = Callable[..., BrokerAdapter]


@pytest_asyncio.fixture
async def adapters(bench: Bench) -> AsyncIterator[Adapters]:
    """Makes adapters of other services, or of other releases of this one, for some topics."""
    made: list[BrokerAdapter] = []

    def make(service: str, *topics: str) -> BrokerAdapter:
        made.append(NatsAdapter(bench.url, service))
        for topic in topics:
            made[-1].declare(topic)
        return made[-1]

    yield make
    for adapter in made:
        await adapter.stop()


async def test_the_stream_and_the_consumer_are_durable(bench: Bench, outsider: Outsider) -> None:
    adapter = bench.listener()
    await adapter.start()
    stream, consumer = await outsider.stream(bench.service), await outsider.consumer(bench)
    expected_stream = {
        "subjects": [bench.topic],
        "storage": "file",
        "retention": "limits",
        "max_age": 7 * 24 * 3600 * 10**9,
        "duplicate_window": 120 * 10**9,
    }
    expected_consumer = {
        "durable_name": durable_of(bench),
        "ack_policy": "explicit",
        "deliver_policy": "all",
        "max_deliver": -1,
        "ack_wait": 10 * 10**9,
        "filter_subject": bench.topic,
    }
    assert expected_stream.items() <= stream["config"].items()
    assert expected_consumer.items() <= consumer["config"].items()


async def test_services_on_one_server_leave_each_others_streams_alone(
    bench: Bench, outsider: Outsider, adapters: Adapters
) -> None:
    other, theirs = f"{bench.service}-other", f"{bench.topic}.theirs"
    shared = f"{bench.topic}.shared"
    first = adapters(bench.service, bench.topic, shared)
    second = adapters(other, theirs, shared)
    await asyncio.gather(first.start(), second.start())
    await outsider.change(bench.service, max_age=3600 * 10**9, description="by an operator")
    # The next release, and the other service as it was.
    later = adapters(bench.service, bench.topic, shared, f"{bench.topic}.new")
    await asyncio.gather(later.start(), adapters(other, theirs, shared).start())

    config, others = (
        (await outsider.stream(bench.service))["config"],
        (await outsider.stream(other))["config"],
    )
    assert (config["max_age"], config["description"]) == (3600 * 10**9, "by an operator")
    assert others["max_age"] == 7 * 24 * 3600 * 10**9
    subjects = [*config["subjects"], *others["subjects"]]
    assert sorted(subjects) == sorted([bench.topic, theirs, shared, f"{bench.topic}.new"])
    assert bench.topic in config["subjects"]
    assert theirs in others["subjects"]
    for adapter, topic in ((first, shared), (second, shared), (first, theirs)):
        await adapter.publish(BrokerMessage(topic, b"", {"ce-id": str(uuid4())}))
    await outsider.ask(f"STREAM.DELETE.{other}")


async def test_releases_that_start_at_once_end_with_the_subjects_of_all(
    bench: Bench, outsider: Outsider, adapters: Adapters
) -> None:
    topics = {f"{bench.topic}.{number}" for number in range(8)}
    await asyncio.gather(*(adapters(bench.service, topic).start() for topic in topics))
    assert set((await outsider.stream(bench.service))["config"]["subjects"]) == topics


async def test_an_event_that_is_declared_later_arrives(
    bench: Bench, outsider: Outsider, adapters: Adapters, caplog: pytest.LogCaptureFixture
) -> None:
    early = adapters(f"{bench.service}-early")
    early.subscribe(bench.topic, bench.consumer, bench.keep)
    await early.start()
    assert await early.is_connected()
    publisher = bench.publisher()
    await publisher.start()
    await publisher.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    [record] = [record for record in caplog.records if record.name == "app.broker"]
    assert f"nobody has declared {bench.topic}" in record.message


async def test_a_full_stream_is_no_fault_of_the_message(bench: Bench, outsider: Outsider) -> None:
    adapter = bench.publisher()
    await adapter.start()
    await outsider.change(bench.service, max_bytes=1000, discard="new")
    with pytest.raises(BrokerUnavailableError, match="maximum bytes"):
        await adapter.publish(bench.message(bytes(2000)))
    await outsider.change(bench.service, max_bytes=-1, max_msg_size=1000)
    with pytest.raises(MessageRefusedError, match="size exceeds"):
        await adapter.publish(bench.message(bytes(2000)))
    await outsider.change(bench.service, max_msg_size=-1)
    await adapter.publish(bench.message(bytes(2000)))


async def test_a_subject_on_which_nobody_answers_holds_up_no_other(
    bench: Bench, outsider: Outsider
) -> None:
    adapter = bench.publisher(timeout=1.0)
    await adapter.start()
    silent = f"silent-{uuid4().hex}"
    # Somebody listens, so that the server does not say that nobody does.
    await outsider.client.subscribe(silent)
    await outsider.client.flush()
    messages = [bench.message(), BrokerMessage(silent, b"{}", {}), bench.message()]
    first, unanswered, last = await adapter.publish_all(messages)
    assert (first, last) == (None, None)
    assert isinstance(unanswered, BrokerUnavailableError)
