"""What is NATS' own: its wire format, streams and consumers, what it refuses, how it goes away."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg

from app.building_blocks.brokers.adapter import (
    BrokerAdapter,
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.nats.adapter import NatsAdapter
from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import HANDLED, inbox
from app.building_blocks.mediator import Mediator
from app.settings import Settings
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.proxy import Proxy
from tests.guarantees.brokers import NoteIntegrationEvent, Service, count_duplicates
from tests.waiting import eventually


class Outsider:
    """The server as another program sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ask(self, what: str, question: object = None) -> Any:
        payload = b"" if question is None else json.dumps(question).encode()
        return json.loads((await self.client.request(f"$JS.API.{what}", payload, timeout=5)).data)

    async def stream(self, name: str) -> Any:
        """Configuration and state of a stream."""
        return await self.ask(f"STREAM.INFO.{name}")

    async def change(self, name: str, **config: object) -> None:
        """As an operator does it with `nats stream edit`."""
        old = (await self.stream(name))["config"]
        assert "error" not in await self.ask(f"STREAM.UPDATE.{name}", old | config)

    async def consumer(self, bench: Bench) -> Any:
        return await self.ask(f"CONSUMER.INFO.{bench.service}.{durable_of(bench)}")

    async def take(self, bench: Bench) -> Msg:
        """The next message of the consumer, as a replica gets it that dies before the ack."""
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{bench.service}.{durable_of(bench)}"
        request = b'{"batch": 1, "expires": 5000000000}'
        return await self.client.request(subject, request, timeout=6, old_style=True)


def durable_of(bench: Bench) -> str:
    return bench.consumer.replace(".", "--")


@pytest_asyncio.fixture
async def outsider(bench: Bench) -> AsyncIterator[Outsider]:
    async with await nats.connect(bench.url) as client:
        outsider = Outsider(client)
        yield outsider
        await bench.stop()
        await outsider.ask(f"STREAM.DELETE.{bench.service}")


class NatsServer:
    """A server of the test's own, which it may kill."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{port}"
        self.data, self._program, self._config = folder / "data", program, folder / "nats.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(f"max_payload: 2MB\njetstream {{ store_dir: {json.dumps(str(self.data))} }}")

    def configure(self, text: str) -> None:
        address = urlsplit(self.url).netloc
        self._config.write_text(f"listen: {json.dumps(address)}\n{text}\n")

    def start(self) -> None:
        arguments = [self._program, "--config", str(self._config)]
        self._process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)  # noqa: S603
        address, until_then = urlsplit(self.url), time.monotonic() + DEADLINE
        while True:
            try:
                socket.create_connection((address.hostname, address.port or 0), timeout=1).close()
            except OSError:
                assert time.monotonic() < until_then, "nats-server does not start"
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[NatsServer]:
    program = shutil.which("nats-server")
    if program is None:
        sentence = "nats-server is not installed here, and this test has to kill one."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    server = NatsServer(program, tmp_path)
    yield server
    server.kill()


Adapters = Callable[..., BrokerAdapter]


@pytest_asyncio.fixture
async def adapters(bench: Bench) -> AsyncIterator[Adapters]:
    """Makes adapters of other services, or of other releases of this one, for some topics."""
    made: list[BrokerAdapter] = []

    def make(service: str, *topics: str) -> BrokerAdapter:
        made.append(NatsAdapter(bench.url, service))
        for topic in topics:
            made[-1].declare(topic)
        return made[-1]

    yield make
    for adapter in made:
        await adapter.stop()


async def test_the_wire_format_is_the_cloudevents_nats_binding(
    bench: Bench, outsider: Outsider
) -> None:
    adapter = bench.publisher()
    await adapter.start()
    heard = await outsider.client.subscribe(bench.topic)
    await outsider.client.flush()
    headers = {
        "ce-id": "7",
        "ce-subject": 'Euro \u20ac \U0001f600 100% "a"',
        "content-type": "text/x",
        "x-empty": "",
    }
    await adapter.publish(BrokerMessage(bench.topic, b"{not json", headers))
    message = await heard.next_msg(timeout=5)
    assert message.data == b"{not json"
    assert message.headers == {
        "ce-id": "7",
        "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80%20100%25%20%22a%22",
        "content-type": "text/x",
        "ce-datacontenttype": "text/x",
        "x-empty": "",
        "Nats-Msg-Id": "7",
    }


async def test_a_foreign_program_may_quote_and_write_names_as_it_likes(
    bench: Bench, outsider: Outsider
) -> None:
    adapter = bench.listener()
    await adapter.start()
    headers = {
        "CE-Id": "1",
        "Ce-Subject": '"a \\"b\\" %e2%82%AC"',
        "Content-Type": "application/json",
        "X-Own": "100%",
        "ce-broken": "%C0%A0",
        "Status": "503",
    }
    await outsider.client.publish(bench.topic, b"", headers=headers)
    await outsider.client.publish(bench.topic, b"plain")
    await until(lambda: len(bench.received) == 2)
    first, plain = sorted(bench.received, key=lambda message: message.body)
    assert first.key == 'a "b" \u20ac'
    assert first.headers == {
        "ce-id": "1",
        "ce-subject": 'a "b" \u20ac',
        "content-type": "application/json",
        "X-Own": "100%",
        "ce-broken": "%C0%A0",
        "Status": "503",
    }
    assert plain == BrokerMessage(bench.topic, b"plain")


async def test_a_refused_message_names_itself_and_stops_no_other(
    bench: Bench, outsider: Outsider
) -> None:
    adapter = bench.listener()
    await adapter.start()
    largest = outsider.client.max_payload
    refused = [
        BrokerMessage("a b", b"", {}),
        BrokerMessage("a.*", b"", {}),
        BrokerMessage("a..b", b"", {}),
        BrokerMessage("$JS.API.INFO", b"", {}),
        BrokerMessage("x" * 256, b"", {}),
        bench.message(headers={"x y": "name"}),
        bench.message(headers={"Nats-Rollup": "all"}),
        bench.message(headers={"x-half": "\ud800"}),
        bench.message(headers={"x-long": "x" * 70_000}),
        bench.message(bytes(largest - 50)),
        bench.message(bytes(largest + 1)),
    ]
    healthy = [bench.message(b"%03d" % number) for number in range(100)]
    messages = [*healthy[:50], *refused, *healthy[50:]]
    outcomes = await asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    by_outcome = [type(outcome) for outcome in outcomes]
    assert by_outcome.count(MessageRefusedError) == len(refused), outcomes
    assert by_outcome.count(type(None)) == len(healthy)
    assert "raise max_payload" in str(outcomes[50 + len(refused) - 1])
    await until(lambda: len(bench.received) == len(healthy))
    assert bench.bodies() == sorted(message.body for message in healthy)


async def test_a_full_stream_is_no_fault_of_the_message(bench: Bench, outsider: Outsider) -> None:
    adapter = bench.publisher()
    await adapter.start()
    await outsider.change(bench.service, max_bytes=1000, discard="new")
    with pytest.raises(BrokerUnavailableError, match="maximum bytes"):
        await adapter.publish(bench.message(bytes(2000)))
    await outsider.change(bench.service, max_bytes=-1, max_msg_size=1000)
    with pytest.raises(MessageRefusedError, match="size exceeds"):
        await adapter.publish(bench.message(bytes(2000)))
    await outsider.change(bench.service, max_msg_size=-1)
    await adapter.publish(bench.message(bytes(2000)))


async def test_the_server_drops_what_is_published_twice(bench: Bench, outsider: Outsider) -> None:
    adapter = bench.publisher()
    await adapter.start()
    message = bench.message()
    await asyncio.gather(*(adapter.publish(message) for _ in range(3)))
    assert (await outsider.stream(bench.service))["state"]["messages"] == 1


async def test_the_inbox_knows_a_duplicate_that_the_server_does_not(
    settings: Settings, database: Database, bench: Bench
) -> None:
    service, handled = Service(settings, database, "own"), list[int]()

    async def handle(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        handled.append(event.number)

    async with service.running(service.feature(handle)) as app, await nats.connect(bench.url) as nc:

        async def both_came() -> bool:
            return await count_duplicates(app) == 2

        first = service.message(b"{}", {"ce-id": str(uuid4()), "ce-type": service.topic})
        await app.state.broker.publish(first)
        headers = {"ce-id": str(uuid4()), "ce-type": service.topic}
        for _ in range(3):
            await nc.publish(service.topic, b'{"number": 7}', headers=headers)
        await eventually(both_came, what="the delivery of two duplicates")
        await service.all_handled(2)
        await nc.request(f"$JS.API.STREAM.DELETE.{service.name}", timeout=5)
    assert sorted(handled) == [0, 7]
    assert [row.state for row in await service.rows(inbox)] == [HANDLED] * 2


async def test_the_stream_and_the_consumer_are_durable(bench: Bench, outsider: Outsider) -> None:
    adapter = bench.listener()
    await adapter.start()
    stream, consumer = await outsider.stream(bench.service), await outsider.consumer(bench)
    expected_stream = {
        "subjects": [bench.topic],
        "storage": "file",
        "retention": "limits",
        "max_age": 7 * 24 * 3600 * 10**9,
        "duplicate_window": 120 * 10**9,
    }
    expected_consumer = {
        "durable_name": durable_of(bench),
        "ack_policy": "explicit",
        "deliver_policy": "all",
        "max_deliver": -1,
        "ack_wait": 10 * 10**9,
        "filter_subject": bench.topic,
    }
    assert expected_stream.items() <= stream["config"].items()
    assert expected_consumer.items() <= consumer["config"].items()


async def test_services_on_one_server_leave_each_others_streams_alone(
    bench: Bench, outsider: Outsider, adapters: Adapters
) -> None:
    other, theirs = f"{bench.service}-other", f"{bench.topic}.theirs"
    shared = f"{bench.topic}.shared"
    first = adapters(bench.service, bench.topic, shared)
    second = adapters(other, theirs, shared)
    await asyncio.gather(first.start(), second.start())
    await outsider.change(bench.service, max_age=3600 * 10**9, description="by an operator")
    # The next release, and the other service as it was.
    later = adapters(bench.service, bench.topic, shared, f"{bench.topic}.new")
    await asyncio.gather(later.start(), adapters(other, theirs, shared).start())

    config, others = (
        (await outsider.stream(bench.service))["config"],
        (await outsider.stream(other))["config"],
    )
    assert (config["max_age"], config["description"]) == (3600 * 10**9, "by an operator")
    assert others["max_age"] == 7 * 24 * 3600 * 10**9
    subjects = [*config["subjects"], *others["subjects"]]
    assert sorted(subjects) == sorted([bench.topic, theirs, shared, f"{bench.topic}.new"])
    assert bench.topic in config["subjects"]
    assert theirs in others["subjects"]
    for adapter, topic in ((first, shared), (second, shared), (first, theirs)):
        await adapter.publish(BrokerMessage(topic, b"", {"ce-id": str(uuid4())}))
    await outsider.ask(f"STREAM.DELETE.{other}")


async def test_releases_that_start_at_once_end_with_the_subjects_of_all(
    bench: Bench, outsider: Outsider, adapters: Adapters
) -> None:
    topics = {f"{bench.topic}.{number}" for number in range(8)}
    await asyncio.gather(*(adapters(bench.service, topic).start() for topic in topics))
    assert set((await outsider.stream(bench.service))["config"]["subjects"]) == topics


async def test_an_event_that_is_declared_later_arrives(
    bench: Bench, outsider: Outsider, adapters: Adapters, caplog: pytest.LogCaptureFixture
) -> None:
    early = adapters(f"{bench.service}-early")
    early.subscribe(bench.topic, bench.consumer, bench.keep)
    await early.start()
    assert await early.is_connected()
    publisher = bench.publisher()
    await publisher.start()
    await publisher.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])
    [record] = [record for record in caplog.records if record.name == "app.broker"]
    assert f"nobody has declared {bench.topic}" in record.message


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


async def test_a_delivery_that_takes_long_stays_where_it_is(bench: Bench) -> None:
    begun = list[BrokerMessage]()

    async def receive(message: BrokerMessage) -> None:
        begun.append(message)
        await asyncio.sleep(2.5)
        await bench.keep(message)

    # After one second without a sign of life, the other replica would get it.
    replicas = [bench.listener(receive, timeout=0.5) for _ in range(2)]
    for replica in replicas:
        await replica.start()
    await replicas[0].publish(bench.message(b"1"))
    await until(lambda: begun)
    # Also a replica that stops lets it finish.
    await asyncio.gather(*(replica.stop() for replica in replicas))
    assert len(begun) == len(bench.received) == 1


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


async def test_a_connection_that_the_server_ends_with_an_error_is_made_anew(bench: Bench) -> None:
    adapter = bench.listener(timeout=1.0)
    await adapter.start()
    assert isinstance(adapter, NatsAdapter)
    assert adapter._jetstream is not None
    await adapter._jetstream.client._send_command(b"NONSENSE\r\n")
    await adapter._jetstream.client._flush_pending()
    lost = adapter._jetstream.client
    await until(lambda: lost.is_closed)
    await until(adapter.is_connected)
    await adapter.publish(bench.message(b"1"))
    await until(lambda: bench.bodies() == [b"1"])


async def test_an_interrupted_flush_does_not_end_the_connection(bench: Bench) -> None:
    adapter = bench.listener()
    await adapter.start()
    assert isinstance(adapter, NatsAdapter)
    assert adapter._jetstream is not None
    client = adapter._jetstream.client
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
    own_server.start()
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
    own_server.start()
    await adapter.start()
    begun = time.monotonic()
    await until(publisher.is_connected)
    if keeps_data:
        await until(lambda: bench.bodies() == [b"1", b"2"])

    # Once more while both are at work.
    own_server.kill()
    if not keeps_data:
        shutil.rmtree(own_server.data)
    own_server.start()
    await until(publisher.is_connected)
    await publisher.publish(bench.message(b"3"))
    await until(lambda: b"3" in bench.bodies())
    await until(adapter.is_connected)
    assert time.monotonic() - begun < 10
    assert not [record for record in caplog.records if record.exc_info]
    await bench.stop()


async def test_a_server_without_jetstream_is_no_broker(own_server: NatsServer) -> None:
    own_server.configure("max_payload: 2MB")
    own_server.start()
    bench = Bench(own_server.url)
    adapter = bench.listener()
    with pytest.raises(BrokerUnavailableError):
        await adapter.start()
    assert not await adapter.is_connected()


async def test_tls_is_not_given_up_silently(own_server: NatsServer) -> None:
    own_server.start()
    bench = Bench(own_server.url)
    adapter = bench.publisher(url=own_server.url.replace("nats://", "tls://ada:secret@"))
    with pytest.raises(BrokerUnavailableError, match="TLS"):
        await adapter.start()


async def test_the_login_is_taken_from_the_url(own_server: NatsServer) -> None:
    own_server.configure(
        f"jetstream {{ store_dir: {json.dumps(str(own_server.data))} }}\n"
        'authorization { user: "ada", password: "p@ss:w/rd" }'
    )
    own_server.start()
    address = urlsplit(own_server.url).netloc
    bench = Bench(f"nats://ada:p%40ss%3Aw%2Frd@127.0.0.1:1,{address}")
    await bench.listener().start()
    with pytest.raises(BrokerUnavailableError, match="Authorization Violation"):
        await bench.listener(url=f"nats://ada:wrong@{address}").start()
    await bench.stop()


@pytest.mark.parametrize("url", ["nats://", "nats://host:port", "nats://a:1,", "nats://h:1/path"])
def test_a_url_that_names_no_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        NatsAdapter(url, "service")


async def test_names_that_would_mean_another_consumer_or_subject_are_refused(bench: Bench) -> None:
    adapter = bench.listener()
    with pytest.raises(ValueError):
        adapter.subscribe(bench.topic, bench.consumer, bench.keep)
    with pytest.raises(ValueError):
        adapter.subscribe(bench.topic, "service.feature.<lambda>", bench.keep)
    with pytest.raises(ValueError):
        adapter.declare("orders.>")
