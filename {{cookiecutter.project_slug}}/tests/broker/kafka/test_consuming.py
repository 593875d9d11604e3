"""How a reader takes records, commits their offsets and stays in its group."""

import asyncio
import logging
import time

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.kafka.flight import IN_FLIGHT
from app.building_blocks.brokers.kafka.offsets import Progress
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.kafka.protocol import FORBIDDEN_GROUP, HEARTBEAT
from tests.broker.proxy import Proxy
from tests.own_broker import MockCluster


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
