"""An ordered consumer is read by one replica at a time."""

import asyncio
from typing import Any

from redis.asyncio import Redis

from app.building_blocks.brokers.adapter import BrokerMessage
from tests.broker.bench import Bench, until
from tests.broker.proxy import Proxy


async def test_order_is_kept_when_the_replica_that_reads_is_cut_off(
    bench: Bench, redis: Redis, proxy: Proxy
) -> None:
    first_received = list[bytes]()

    async def keep_first(message: BrokerMessage) -> None:
        first_received.append(message.body)
        await asyncio.sleep(0.01)

    first = bench.listener(keep_first, proxy.url, ordered=True, claim_after=1.5)
    second = bench.listener(ordered=True, claim_after=1.5)
    await first.start()
    publisher = bench.publisher()
    await publisher.start()
    await publisher.publish(bench.message(b"000", key="a"))
    await until(lambda: first_received == [b"000"])
    await second.start()
    for number in range(1, 100):
        await publisher.publish(bench.message(b"%03d" % number, key="a"))
        if number == 50:
            proxy.cut()
    await until(lambda: bench.received and bench.received[-1].body == b"099")
    second_received = [message.body for message in bench.received]
    assert second_received == sorted(set(second_received))
    assert first_received == sorted(set(first_received))
    # Some both have begun with, none is missing.
    assert set(first_received) | set(second_received) == {b"%03d" % n for n in range(100)}


async def test_only_one_replica_reads_what_is_ordered_and_a_stop_hands_it_over(
    bench: Bench, redis: Redis
) -> None:
    taken = list[tuple[int, bytes]]()

    def taking(replica: int) -> Any:
        async def take(message: BrokerMessage) -> None:
            taken.append((replica, message.body))

        return take

    replicas = [bench.listener(taking(number), ordered=True) for number in range(2)]
    for replica in replicas:
        await replica.start()
    for number in range(40):
        await replicas[1].publish(bench.message(b"%03d" % number, key="a"))
    await until(lambda: len(taken) == 40)
    [holder] = {replica for replica, _ in taken}
    stopped = asyncio.get_running_loop().time()
    await replicas[holder].stop()
    other = 1 - holder
    await replicas[other].publish(bench.message(b"040", key="a"))
    await until(lambda: len(taken) == 41)
    assert asyncio.get_running_loop().time() - stopped < 3
    assert taken[-1] == (other, b"040")
    assert [body for _, body in taken] == [b"%03d" % number for number in range(41)]
