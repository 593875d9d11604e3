"""Which messages are refused, and how publishing goes on after that."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import UnknownTopicOrPartitionError  # type: ignore[import-untyped]

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.kafka.producer import MAX_REQUEST_BYTES
from tests.broker.bench import Bench, until
from tests.broker.kafka.protocol import (
    FORBIDDEN_TOPIC,
    NOT_ENOUGH_REPLICAS,
    OUT_OF_ORDER,
    PRODUCE,
    TOO_LARGE,
)
from tests.broker.refusals import refusals_of
from tests.own_broker import MockCluster


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
    await refusals_of(bench, adapter, refused)


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
    cluster.refuse_next(PRODUCE, error, *([error] if error == TOO_LARGE else []))
    with pytest.raises(MessageRefusedError):
        await adapter.publish(victim.message(b"large"))
    await adapter.publish(victim.message(b"1"))
    await until(lambda: victim.bodies() == [b"1"])


async def test_messages_that_are_too_large_together_go_one_by_one(
    victim: Bench, cluster: MockCluster
) -> None:
    adapter = victim.listener()
    await adapter.start()
    cluster.refuse_next(PRODUCE, TOO_LARGE)
    bodies = [b"%d" % number for number in range(5)]
    outcomes = await adapter.publish_all([victim.message(body) for body in bodies])
    assert set(outcomes) == {None}
    await until(lambda: victim.bodies() == bodies)


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
