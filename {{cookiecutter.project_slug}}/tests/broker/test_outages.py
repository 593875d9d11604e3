"""What an adapter promises when its server or the network is away, the same for every broker."""

import asyncio
import time

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage, BrokerUnavailableError
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.proxy import Proxy


async def test_start_without_a_server_fails_fast_and_may_be_repeated(
    bench: Bench, proxy: Proxy
) -> None:
    proxy.cut()
    adapter = bench.listener(url=proxy.url, timeout=1.0)
    async with asyncio.timeout(6):
        for _ in range(3):
            with pytest.raises(BrokerUnavailableError):
                await adapter.start()
    assert not await adapter.is_connected()
    await proxy.open()
    await adapter.start()
    assert await adapter.is_connected()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])


async def test_start_gives_a_silent_server_up_in_time(bench: Bench, proxy: Proxy) -> None:
    proxy.silence()
    adapter = bench.listener(url=proxy.url, timeout=0.5)
    async with asyncio.timeout(6):
        with pytest.raises(BrokerUnavailableError):
            await adapter.start()
    await until(lambda: proxy.connections == 0)
    proxy.forward_again()
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])


async def test_publishing_and_consuming_recover_from_a_cut(bench: Bench, proxy: Proxy) -> None:
    adapter, witness = bench.listener(url=proxy.url), bench.publisher()
    await witness.start()
    await adapter.start()
    await witness.publish(bench.message(b"0"))
    await until(lambda: bench.bodies() == [b"0"])
    proxy.cut()
    async with asyncio.timeout(6):
        with pytest.raises(BrokerUnavailableError):
            await adapter.publish(bench.message(b"lost"))
    assert not await adapter.is_connected()
    await witness.publish(bench.message(b"1"))
    await proxy.open()
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"2"))
    # What was lost to its sender may still have arrived: nothing was known of its fate.
    await until(lambda: {b"0", b"1", b"2"} <= set(bench.bodies()))


async def test_what_runs_during_a_cut_is_settled_after_it(bench: Bench, proxy: Proxy) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        begun.set()
        await release.wait()
        await bench.keep(message)

    adapter = bench.listener(receive, url=proxy.url)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    proxy.cut()
    await proxy.open()
    release.set()
    await until(lambda: b"1" in bench.bodies())
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"2"))
    await until(lambda: b"2" in bench.bodies())


async def test_publishing_and_consuming_recover_from_silence(bench: Bench, proxy: Proxy) -> None:
    adapter, witness = bench.listener(url=proxy.url, timeout=0.5), bench.publisher()
    await witness.start()
    await adapter.start()
    proxy.silence()
    begun = time.monotonic()
    with pytest.raises(BrokerUnavailableError):
        await adapter.publish(bench.message(b"lost"))
    assert time.monotonic() - begun < 2
    assert not await adapter.is_connected()
    await witness.publish(bench.message(b"1"))
    proxy.forward_again()
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"2"))
    await until(lambda: {b"1", b"2"} <= set(bench.bodies()))


async def test_stop_ends_although_the_server_is_silent(bench: Bench, proxy: Proxy) -> None:
    adapter = bench.listener(url=proxy.url, timeout=1.0)
    await adapter.start()
    proxy.silence()
    publishing = asyncio.create_task(adapter.publish(bench.message()))
    await until(lambda: proxy.lost)
    async with asyncio.timeout(30):
        await adapter.stop()
        with pytest.raises(BrokerUnavailableError):
            await publishing
    await until(lambda: proxy.connections == 0)


async def test_what_is_sent_behind_a_stuck_send_is_given_up_in_time(
    bench: Bench, proxy: Proxy
) -> None:
    adapter = bench.publisher(proxy.url, timeout=1.0)
    await adapter.start()
    await adapter.publish(bench.message())
    proxy.stall()
    many = [bench.message(b"x" * 300_000) for _ in range(40)]
    first = asyncio.gather(*map(adapter.publish, many[:20]), return_exceptions=True)
    # All of these are under way, or behind what is.
    await asyncio.sleep(0)
    async with asyncio.timeout(8):
        behind = await asyncio.gather(*map(adapter.publish, many[20:]), return_exceptions=True)
        outcomes = [*await first, *behind]
    assert {type(outcome) for outcome in outcomes} == {BrokerUnavailableError}
