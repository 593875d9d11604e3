"""How publishing and consuming go on when the server is lost, or may not write."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.redis.server import RedisServer


@pytest.mark.parametrize("ordered", [False, True])
async def test_nothing_confirmed_is_lost_when_the_server_is_killed_and_keeps_its_data(
    bench: Bench, own_server: RedisServer, ordered: bool
) -> None:
    await own_server.start(keeps_data=True)
    adapter = bench.listener(url=own_server.url, ordered=ordered, timeout=1.0)
    publisher = bench.publisher(own_server.url, timeout=1.0)
    await adapter.start()
    await publisher.start()
    confirmed, killed = set[bytes](), asyncio.Event()

    async def publish() -> None:
        for number in range(2000):
            body = b"%04d" % number
            try:
                await publisher.publish(bench.message(body, key="a"))
            except BrokerUnavailableError:
                await asyncio.sleep(0.05)
            else:
                confirmed.add(body)
            if len(confirmed) == 300:
                killed.set()
            if len(confirmed) == 600:
                return

    publishing = asyncio.create_task(publish())
    await asyncio.wait_for(killed.wait(), DEADLINE)
    own_server.kill()
    await until(lambda: not_connected(adapter))
    await own_server.start(keeps_data=True)
    await publishing
    assert len(confirmed) == 600
    await until(lambda: confirmed <= set(bench.bodies()))
    await until(adapter.is_connected)


@pytest.mark.parametrize("ordered", [False, True])
async def test_an_adapter_goes_on_when_the_server_has_lost_everything(
    bench: Bench, own_server: RedisServer, ordered: bool
) -> None:
    await own_server.start(keeps_data=False)
    adapter = bench.listener(url=own_server.url, ordered=ordered, claim_after=3.0)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    own_server.kill()
    await until(lambda: not_connected(adapter))
    await own_server.start(keeps_data=False)
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"2"))
    await until(lambda: bench.bodies() == [b"1", b"2"])
    async with Redis.from_url(own_server.url) as client:
        await client.flushall()
    await adapter.publish(bench.message(b"3"))
    await until(lambda: bench.bodies() == [b"1", b"2", b"3"])
    await until(adapter.is_connected)


async def test_an_answer_that_comes_too_late_is_not_taken_for_that_of_the_next_message(
    bench: Bench, own_server: RedisServer
) -> None:
    await own_server.start(keeps_data=False)
    adapter = bench.publisher(own_server.url, timeout=0.5)
    await adapter.start()
    refused = BrokerMessage(f"{bench.topic}.string", b"{}", {})
    async with Redis.from_url(own_server.url) as client:
        await client.set(refused.topic, "not a stream")
        await client.client_pause(2000)
    errors = await adapter.publish_all([refused, bench.message(b"1")])
    assert [type(error) for error in errors] == [BrokerUnavailableError] * 2

    async def goes_out() -> bool:
        [error] = await adapter.publish_all([bench.message(b"2")])
        assert not isinstance(error, MessageRefusedError)
        return error is None

    # The server answers the first two while one of these waits.
    await until(goes_out)
    [error] = await adapter.publish_all([refused])
    assert isinstance(error, MessageRefusedError)


async def test_a_server_that_may_not_write_is_away_and_blames_no_message(
    bench: Bench, own_server: RedisServer
) -> None:
    await own_server.start(keeps_data=False)
    adapter = bench.listener(url=own_server.url)
    await adapter.start()
    async with Redis.from_url(own_server.url) as client:
        await client.config_set("maxmemory", 1)
        with pytest.raises(BrokerUnavailableError):
            await adapter.publish(bench.message())
        await client.config_set("maxmemory", 0)
        await client.replicaof("127.0.0.1", "1")
        with pytest.raises(BrokerUnavailableError):
            await adapter.publish(bench.message())
        await until(lambda: not_connected(adapter))
        await client.replicaof("NO", "ONE")
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"1"))
    await until(lambda: b"1" in bench.bodies())


async def not_connected(adapter: Any) -> bool:
    return not await adapter.is_connected()
