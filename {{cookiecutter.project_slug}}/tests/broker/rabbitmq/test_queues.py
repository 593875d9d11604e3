"""What a queue hands out, and hands out again."""

import asyncio

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.rabbitmq.queue import PREFETCH
from tests.broker.bench import DEADLINE, Bench, Held, until
from tests.broker.proxy import Proxy
from tests.broker.rabbitmq.outsider import Server, is_queued


async def test_deliveries_run_side_by_side_up_to_the_prefetch(bench: Bench, server: Server) -> None:
    held = Held(bench)
    adapter = bench.listener(held)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(23)))
    await until(lambda: is_queued(server, bench, 3))
    await until(lambda: held.running == PREFETCH == 20)
    held.may_end.set()
    await until(lambda: len(bench.received) == 23)


async def test_what_a_cut_interrupts_is_delivered_again(bench: Bench, proxy: Proxy) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        if begun.is_set():
            await bench.keep(message)
            return
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    adapter = bench.listener(receive, url=proxy.url)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    proxy.cut()
    await asyncio.wait_for(cancelled.wait(), DEADLINE)
    await proxy.open()
    await until(lambda: bench.bodies() == [b"1"])
