"""Which replica gets a message of a durable consumer, and when another does."""

import asyncio

from app.building_blocks.brokers.adapter import BrokerMessage
from tests.broker.bench import Bench, until
from tests.broker.nats.outsider import Outsider, durable_of


async def test_one_of_two_replicas_at_a_time_gets_the_ordered_messages(
    bench: Bench, outsider: Outsider
) -> None:
    unordered = bench.listener()
    await unordered.start()
    await unordered.stop()
    at_once = most_at_once = 0

    async def receive(message: BrokerMessage) -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(at_once, most_at_once)
        await asyncio.sleep(0.001)
        await bench.keep(message)
        at_once -= 1

    replicas = [bench.listener(receive, ordered=True) for _ in range(2)]
    for replica in replicas:
        await replica.start()
    # The durable consumer was there already, and not made for order.
    assert (await outsider.consumer(bench))["config"]["max_ack_pending"] == 1
    for number in range(100):
        await replicas[0].publish(bench.message(b"%03d" % number))
        if number == 50:
            await replicas[1].stop()
    await until(lambda: len(bench.received) == 100)
    assert [int(message.body) for message in bench.received] == list(range(100))
    assert most_at_once == 1


async def test_what_a_dead_replica_had_taken_goes_to_another(
    bench: Bench, outsider: Outsider
) -> None:
    creator = bench.listener(timeout=0.5)
    await creator.start()
    await creator.stop()
    publisher = bench.publisher()
    await publisher.start()
    await publisher.publish(bench.message(b"1"))
    assert (await outsider.take(bench)).data == b"1"
    await bench.listener(timeout=0.5).start()
    await until(lambda: bench.bodies() == [b"1"])


async def test_a_delivery_that_takes_long_stays_where_it_is(
    bench: Bench, outsider: Outsider
) -> None:
    begun, release = list[bytes](), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        begun.append(message.body)
        if message.body == b"long":
            await release.wait()
        elif begun.count(message.body) == 1:
            # Not settled: the server gives it out again once its time is up.
            raise asyncio.CancelledError
        await bench.keep(message)

    async def is_all_else_settled() -> bool:
        return bool((await outsider.consumer(bench))["num_ack_pending"] == 1)

    async def outlast(marker: bytes) -> None:
        """Wait until the time of a delivery is up that began after the long one."""
        await second.publish(bench.message(marker))
        await until(lambda: marker in bench.bodies())
        await until(is_all_else_settled)
        assert (await outsider.consumer(bench))["num_redelivered"] == 0
        assert begun.count(b"long") == 1

    first, second = (bench.listener(receive, timeout=0.5) for _ in range(2))
    await first.start()
    await first.publish(bench.message(b"long"))
    await until(lambda: begun)
    await second.start()
    await outlast(b"marker")
    # Also a replica that stops lets it finish.
    stopping = asyncio.create_task(first.stop())
    await outlast(b"marker of the stop")
    assert not stopping.done()
    release.set()
    await stopping
    assert bench.bodies() == [b"long", b"marker", b"marker of the stop"]
    assert begun.count(b"long") == 1


async def test_consuming_survives_the_loss_of_consumer_and_stream(
    bench: Bench, outsider: Outsider
) -> None:
    adapter = bench.listener(timeout=0.5)
    await adapter.start()
    await outsider.ask(f"CONSUMER.DELETE.{bench.service}.{durable_of(bench)}")
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    await outsider.ask(f"STREAM.DELETE.{bench.service}")
    await adapter.publish(bench.message(b"2"))
    await until(lambda: bench.bodies() == [b"1", b"2"])
    assert await adapter.is_connected()
