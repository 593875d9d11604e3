"""What BROKER_URL says about servers and logins, and how a start can fail."""

import asyncio
import json
from urllib.parse import urlsplit

import nats
import pytest

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.nats.adapter import NatsAdapter
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.nats.server import NatsServer
from tests.broker.proxy import Proxy


@pytest.mark.parametrize("url", ["nats://", "nats://host:port", "nats://a:1,", "nats://h:1/path"])
def test_a_url_that_names_no_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        NatsAdapter(url, "service")


async def test_the_login_is_taken_from_the_url(own_server: NatsServer) -> None:
    own_server.configure(
        f"jetstream {{ store_dir: {json.dumps(str(own_server.data))} }}\n"
        'authorization { user: "ada", password: "p@ss:w/rd" }'
    )
    await own_server.start()
    address = urlsplit(own_server.url).netloc
    bench = Bench(f"nats://ada:p%40ss%3Aw%2Frd@127.0.0.1:1,{address}")
    await bench.listener().start()
    stranger = bench.listener(url=f"nats://ada:wrong@{address}")

    async def is_told_why() -> bool:
        with pytest.raises(BrokerUnavailableError) as refusal:
            await stranger.start()
        return "Authorization Violation" in str(refusal.value)

    # The server hangs up at once, and what it said last can be lost with the connection.
    await until(is_told_why)
    await bench.stop()


async def test_tls_is_not_given_up_silently(own_server: NatsServer) -> None:
    await own_server.start()
    bench = Bench(own_server.url)
    adapter = bench.publisher(url=own_server.url.replace("nats://", "tls://ada:secret@"))
    with pytest.raises(BrokerUnavailableError, match="TLS"):
        await adapter.start()


async def test_a_server_without_jetstream_is_no_broker(own_server: NatsServer) -> None:
    own_server.configure("max_payload: 2MB")
    await own_server.start()
    bench = Bench(own_server.url)
    adapter = bench.listener()
    with pytest.raises(BrokerUnavailableError):
        await adapter.start()
    assert not await adapter.is_connected()


async def test_a_start_that_is_cancelled_while_it_connects_leaves_no_connection(
    bench: Bench, proxy: Proxy
) -> None:
    proxy.silence()
    adapter = bench.listener(url=proxy.url)
    starting = asyncio.create_task(adapter.start())
    await until(lambda: proxy.lost)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await until(lambda: proxy.connections == 0)
    assert not await adapter.is_connected()
    proxy.forward_again()
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])


async def test_a_start_that_is_cancelled_while_it_declares_leaves_no_connection(
    own_server: NatsServer,
) -> None:
    own_server.configure("max_payload: 2MB")
    await own_server.start()
    proxy = Proxy(own_server.url)
    await proxy.open()
    adapter = Bench(proxy.url).listener()
    # JetStream as it is while its disk stands still: it hears requests and does not answer.
    async with await nats.connect(own_server.url) as jetstream:
        requests = await jetstream.subscribe("$JS.API.>")
        await jetstream.flush()
        starting = asyncio.create_task(adapter.start())
        await requests.next_msg(timeout=DEADLINE)
        assert proxy.connections == 1
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await until(lambda: proxy.connections == 0)
    await proxy.close()
