"""How publishing and consuming go on when the connection or the server is lost."""

import asyncio
import shutil
import time

import pytest

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.nats.adapter import NatsAdapter
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.nats.server import NatsServer
from tests.broker.proxy import Proxy


async def test_a_connection_that_the_server_ends_with_an_error_is_made_anew(bench: Bench) -> None:
    adapter = bench.listener(timeout=1.0)
    await adapter.start()
    assert isinstance(adapter, NatsAdapter)
    lost = adapter._link.jetstream.client
    await lost._send_command(b"NONSENSE\r\n")
    await lost._flush_pending()
    await until(lambda: lost.is_closed)
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])


async def test_an_interrupted_flush_does_not_end_the_connection(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    assert isinstance(adapter, NatsAdapter)
    client = adapter._link.jetstream.client
    flushing = asyncio.create_task(client.flush())
    await asyncio.sleep(0)
    flushing.cancel()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    assert not client.is_closed


async def test_a_publish_fails_as_soon_as_the_connection_is_lost(
    bench: Bench, proxy: Proxy
) -> None:
    adapter = bench.publisher(url=proxy.url, timeout=DEADLINE)
    await adapter.start()
    proxy.silence()
    publishing = asyncio.create_task(adapter.publish(bench.message()))
    await until(lambda: proxy.lost)
    proxy.cut()
    async with asyncio.timeout(5):
        with pytest.raises(BrokerUnavailableError):
            await publishing


@pytest.mark.parametrize("keeps_data", [True, False])
async def test_publishing_and_consuming_go_on_after_a_restart_of_the_server(
    own_server: NatsServer, keeps_data: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await own_server.start()
    bench = Bench(own_server.url)
    adapter, publisher = bench.listener(), bench.publisher()
    # Nobody declares this one; to wait for it must not disturb anything.
    adapter.subscribe(f"{bench.topic}.nowhere", f"{bench.consumer}_nowhere", bench.keep)
    await adapter.start()
    await publisher.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    await adapter.stop()
    await publisher.publish(bench.message(b"2"))
    own_server.kill()
    with pytest.raises(BrokerUnavailableError):
        await publisher.publish(bench.message(b"lost"))
    assert not await publisher.is_connected()
    if not keeps_data:
        shutil.rmtree(own_server.data)
    await own_server.start()
    await adapter.start()
    begun = time.monotonic()
    await until(publisher.is_connected)
    if keeps_data:
        await until(lambda: bench.bodies() == [b"1", b"2"])

    # Once more while both are at work.
    own_server.kill()
    if not keeps_data:
        shutil.rmtree(own_server.data)
    await own_server.start()
    await until(publisher.is_connected)
    await publisher.publish(bench.message(b"3"))
    await until(lambda: b"3" in bench.bodies())
    await until(adapter.is_connected)
    assert time.monotonic() - begun < 10
    assert not [record for record in caplog.records if record.exc_info]
    await bench.stop()
