"""What RabbitAdapter promises, kept against a real server and through a proxy that fails."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
import pytest
import pytest_asyncio
from yarl import URL

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
    Receive,
)
from app.building_blocks.brokers.rabbitmq import (
    EXCHANGE,
    MAX_SHARED_BODY_BYTES,
    PREFETCH,
    RabbitAdapter,
)

RABBITMQ_URL = os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")
DEADLINE = 15.0


class Proxy:
    """Stands between the adapter and the server, and loses connections or silences them."""

    def __init__(self) -> None:
        self._target = URL(RABBITMQ_URL)
        self.lost = b""
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def url(self) -> str:
        return str(self._target.with_host("127.0.0.1").with_port(self._port))

    @property
    def connections(self) -> int:
        return len(self._writers) // 2

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Refuse new connections and end the present ones."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Accept connections, forward nothing."""
        self._flows.clear()

    def forward_again(self) -> None:
        """Serve new connections; what was connected before stays silent for ever."""
        self._flows = asyncio.Event()
        self._flows.set()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flows = self._flows
        there, back = await asyncio.open_connection(self._target.host, self._target.port or 5672)
        self._writers |= {writer, back}
        pumps = {
            asyncio.create_task(self._pump(flows, reader, back)),
            asyncio.create_task(self._pump(flows, there, writer)),
        }
        self._tasks |= pumps
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        self._writers -= {writer, back}
        writer.transport.abort()
        back.transport.abort()

    async def _pump(
        self, flows: asyncio.Event, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if not flows.is_set():
                    self.lost += data
                    continue
                sink.write(data)
                await sink.drain()


class Bench:
    """Makes adapters with one topic and one consumer of their own, and keeps what arrives."""

    def __init__(self, server: aio_pika.abc.AbstractChannel) -> None:
        name = uuid4().hex
        self.server = server
        self.topic, self.consumer = f"test.{name}.v1", f"test-{name}"
        self.received: list[BrokerMessage] = []
        self.adapters: list[RabbitAdapter] = []

    async def keep(self, message: BrokerMessage) -> None:
        self.received.append(message)

    def publisher(self, url: str = RABBITMQ_URL, **seconds: float) -> RabbitAdapter:
        self.adapters.append(RabbitAdapter(url, "test", **seconds))
        return self.adapters[-1]

    def listener(
        self, receive: Receive | None = None, url: str = RABBITMQ_URL, **seconds: float
    ) -> RabbitAdapter:
        adapter = self.publisher(url, **seconds)
        adapter.subscribe(self.topic, self.consumer, receive or self.keep)
        return adapter

    def message(self, body: bytes = b"{}", headers: dict[str, str] | None = None) -> BrokerMessage:
        return BrokerMessage(self.topic, body, headers or {"ce-id": str(uuid4())})

    async def queued(self) -> int:
        """Messages ready in the queue: those that no consumer holds."""
        queue = await self.server.declare_queue(self.consumer, passive=True)
        return queue.declaration_result.message_count or 0

    def holds(self, queued: int) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            return await self.queued() == queued

        return holds

    def bodies(self) -> list[bytes]:
        return sorted(message.body for message in self.received)


async def until(condition: Callable[[], Awaitable[object] | object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            outcome = condition()
            if await outcome if isinstance(outcome, Awaitable) else outcome:
                return
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    try:
        connection = await aio_pika.connect(RABBITMQ_URL, timeout=5)
    except OSError as error:
        reason = f"Start RabbitMQ or set RABBITMQ_URL ({RABBITMQ_URL}): {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with connection:
        bench = Bench(await connection.channel())
        yield bench
        for adapter in bench.adapters:
            await adapter.stop()
        await bench.server.queue_delete(bench.consumer)


@pytest_asyncio.fixture
async def proxy(bench: Bench) -> AsyncIterator[Proxy]:
    proxy = Proxy()
    await proxy.open()
    yield proxy
    for adapter in bench.adapters:
        await adapter.stop()
    await proxy.close()


async def test_a_message_arrives_as_it_was_sent(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    headers = {
        "ce-id": "1",
        "ce-type": "orders.created",
        "ce-subject": "ключ",
        "content-type": "application/json",
        "traceparent": "00-a-b-01",
        "x-tenant": "blå",
    }
    body = bytes(range(256)) * 4096 + b"{not json"
    await adapter.publish(BrokerMessage(bench.topic, body, headers, key="ключ"))
    await until(lambda: bench.received)
    assert bench.received == [BrokerMessage(bench.topic, body, headers, key="ключ")]


async def test_the_wire_format_is_the_cloudevents_amqp_binding(bench: Bench) -> None:
    adapter = bench.publisher()
    await adapter.start()
    queue = await bench.server.declare_queue(bench.consumer)
    await queue.bind(EXCHANGE.name, bench.topic)
    await adapter.publish(
        bench.message(headers={"ce-id": "7", "content-type": "text/x", "x-a": "b"})
    )
    incoming = await queue.get()
    await incoming.ack()
    assert incoming.headers == {"cloudEvents:id": "7", "x-a": "b"}
    assert (incoming.content_type, incoming.message_id) == ("text/x", "7")
    assert incoming.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_a_foreign_program_may_use_either_prefix_and_any_type(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    replies = await bench.server.declare_queue(exclusive=True)
    foreign = aio_pika.Message(
        b"",
        content_type="application/json",
        reply_to=replies.name,
        headers={
            "cloudEvents_id": "1",
            "cloudEvents:subject": "k",
            "n": 5,
            "raw": bytearray(b"\xff"),
            "at": datetime(2024, 1, 1, tzinfo=UTC),
        },
    )
    exchange = await bench.server.get_exchange(EXCHANGE.name, ensure=False)
    await exchange.publish(foreign, bench.topic)
    await until(lambda: bench.received)
    await adapter.stop()
    assert await replies.get(fail=False) is None
    [message] = bench.received
    assert message.key == "k"
    assert message.headers == {
        "ce-id": "1",
        "ce-subject": "k",
        "content-type": "application/json",
        "n": "5",
        "raw": "\N{REPLACEMENT CHARACTER}",
        "at": "2024-01-01 00:00:00+00:00",
    }


async def test_an_event_that_nobody_listens_to_is_no_error(bench: Bench) -> None:
    adapter = bench.publisher()
    await adapter.start()
    await adapter.publish(bench.message())


async def test_what_was_published_while_the_service_was_down_arrives(bench: Bench) -> None:
    adapter, publisher = bench.listener(), bench.publisher()
    await adapter.start()
    await adapter.stop()
    await publisher.start()
    bodies = [b"%03d" % number for number in range(200)]
    await asyncio.gather(*(publisher.publish(bench.message(body)) for body in bodies))
    assert bench.received == []
    await adapter.start()
    await until(lambda: len(bench.received) >= len(bodies))
    assert bench.bodies() == bodies


async def test_deliveries_run_side_by_side_up_to_the_prefetch(bench: Bench) -> None:
    running, release = 0, asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        nonlocal running
        running += 1
        await release.wait()
        await bench.keep(message)

    adapter = bench.listener(receive)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(23)))
    await until(bench.holds(3))
    await until(lambda: running == PREFETCH == 20)
    release.set()
    await until(lambda: len(bench.received) == 23)


async def test_a_failed_delivery_is_logged_once_and_comes_back_after_a_pause(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    times: list[float] = []

    async def receive(message: BrokerMessage) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            raise RuntimeError("the database is away")
        await bench.keep(message)

    adapter = bench.listener(receive, retry_pause=0.2)
    await adapter.start()
    with caplog.at_level(logging.INFO):
        await adapter.publish(bench.message())
        await until(lambda: bench.received)
    assert times[1] - times[0] >= 0.1
    [record] = caplog.records
    assert record.name == "app.broker"
    assert bench.consumer in record.message
    assert bench.topic in record.message


async def test_stop_ends_the_pause_and_leaves_the_message_in_the_queue(bench: Bench) -> None:
    failed = asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        failed.set()
        raise RuntimeError("no")

    adapter = bench.listener(receive, retry_pause=60)
    await adapter.start()
    await adapter.publish(bench.message())
    await asyncio.wait_for(failed.wait(), DEADLINE)
    async with asyncio.timeout(2):
        await adapter.stop()
    await until(bench.holds(1))


async def test_stop_lets_a_running_delivery_finish_and_start_works_again(bench: Bench) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        begun.set()
        await release.wait()
        await bench.keep(message)

    adapter = bench.listener(receive)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    stopping = asyncio.create_task(adapter.stop())
    await asyncio.wait({stopping}, timeout=0.1)
    assert not stopping.done()
    release.set()
    await stopping
    assert bench.bodies() == [b"1"]
    assert await bench.queued() == 0
    assert not await adapter.is_connected()
    with pytest.raises(BrokerUnavailableError):
        await adapter.publish(bench.message())
    await adapter.start()
    await adapter.publish(bench.message(b"2"))
    await until(lambda: bench.bodies() == [b"1", b"2"])


async def test_a_cancelled_delivery_is_not_acknowledged(bench: Bench) -> None:
    async def receive(message: BrokerMessage) -> None:
        await bench.keep(message)
        raise asyncio.CancelledError

    adapter = bench.listener(receive)
    await adapter.start()
    await adapter.publish(bench.message())
    await until(lambda: bench.received)
    await adapter.stop()
    await until(bench.holds(1))
    assert len(bench.received) == 1


async def test_a_refused_message_names_itself_and_stops_no_other(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    refused = [
        BrokerMessage("é" * 200, b"", {}),
        bench.message(headers={"x-long": "x" * 200_000}),
        bench.message(headers={"x" * 129: "name"}),
        bench.message(headers={"x-half": "\ud800"}),
        bench.message(headers={"content-type": "x" * 256}),
        bench.message(bytes(128 * 1024 * 1024 + 1)),
    ]
    healthy = [bench.message(b"%03d" % number) for number in range(100)]
    healthy.append(bench.message(b"z" * (MAX_SHARED_BODY_BYTES + 1)))
    messages = [*healthy[:50], *refused, *healthy[50:]]
    outcomes = await asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    by_outcome = [type(outcome) for outcome in outcomes]
    assert by_outcome.count(MessageRefusedError) == len(refused), outcomes
    assert by_outcome.count(type(None)) == len(healthy)
    await until(lambda: len(bench.received) == len(healthy))
    assert bench.bodies() == sorted(message.body for message in healthy)


async def test_publishing_goes_on_over_a_channel_that_the_server_closed(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    assert adapter._link is not None
    assert isinstance(adapter._link[1], aio_pika.RobustExchange)
    shared = adapter._link[1].channel
    unknown = await shared.get_exchange(uuid4().hex, ensure=False)
    with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
        await unknown.publish(aio_pika.Message(b""), "")
    await asyncio.gather(*(adapter.publish(bench.message(b"1")) for _ in range(50)))
    await until(lambda: len(bench.received) == 50)
    await until(lambda: not shared.is_closed)
    await adapter.publish(bench.message(b"2"))
    await until(lambda: len(bench.received) == 51)


async def test_start_without_a_server_fails_fast_and_may_be_repeated(
    bench: Bench, proxy: Proxy
) -> None:
    proxy.cut()
    adapter = bench.listener(url=proxy.url)
    async with asyncio.timeout(2):
        for _ in range(3):
            with pytest.raises(BrokerUnavailableError):
                await adapter.start()
    assert not await adapter.is_connected()
    await proxy.open()
    await adapter.start()
    assert await adapter.is_connected()
    assert proxy.connections == 2
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])


async def test_a_start_that_fails_half_way_leaves_no_connection(bench: Bench, proxy: Proxy) -> None:
    await bench.server.declare_queue(bench.consumer, durable=True)
    adapter = bench.listener(url=proxy.url)
    with pytest.raises(BrokerUnavailableError, match="x-queue-type"):
        await adapter.start()
    await until(lambda: proxy.connections == 0)


async def test_start_gives_a_silent_server_up_in_time(bench: Bench, proxy: Proxy) -> None:
    proxy.silence()
    adapter = bench.listener(url=proxy.url, timeout=0.3)
    async with asyncio.timeout(2):
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
    proxy.cut()
    async with asyncio.timeout(6):
        with pytest.raises(BrokerUnavailableError):
            await adapter.publish(bench.message(b"lost"))
    assert not await adapter.is_connected()
    await witness.publish(bench.message(b"1"))
    await proxy.open()
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"2"))
    await until(lambda: bench.bodies() == [b"1", b"2"])
    assert proxy.connections == 2


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


async def test_publishing_and_consuming_recover_from_silence(bench: Bench, proxy: Proxy) -> None:
    url = f"{proxy.url}?heartbeat=1"
    adapter, witness = bench.listener(url=url, timeout=0.5), bench.publisher()
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
    await until(lambda: bench.bodies() == [b"1", b"2"])


async def test_stop_ends_although_the_server_is_silent(bench: Bench, proxy: Proxy) -> None:
    adapter = bench.listener(url=f"{proxy.url}?heartbeat=1", timeout=DEADLINE)
    await adapter.start()
    proxy.silence()
    messages = [bench.message(), bench.message(bytes(MAX_SHARED_BODY_BYTES + 1))]
    publishing = asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    await until(lambda: proxy.lost)
    async with asyncio.timeout(DEADLINE):
        await adapter.stop()
        outcomes = await publishing
    assert [type(outcome) for outcome in outcomes] == [BrokerUnavailableError] * 2
    await until(lambda: proxy.connections == 0)
