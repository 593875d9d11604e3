"""What is Redis's own: entries, groups, claims, leases, trimming, and how a server comes back."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.building_blocks.brokers.adapter import (
    BrokerMessage,
    BrokerUnavailableError,
    MessageRefusedError,
)
from app.building_blocks.brokers.redis import group
from app.building_blocks.brokers.redis.adapter import RedisAdapter
from app.building_blocks.brokers.redis.group import Member
from app.building_blocks.brokers.redis.lease import Lease
from app.building_blocks.brokers.redis.reader import PREFETCH
from app.building_blocks.brokers.redis.wire import MAX_BODY_BYTES
from tests.broker.bench import DEADLINE, Bench, until
from tests.broker.proxy import Proxy


class Server:
    """A Redis of the test's own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def start(self, *, keeps_data: bool) -> None:
        command = ["redis-server", "--port", str(self._port), "--dir", str(self._folder)]
        command += ["--bind", "127.0.0.1", "--save", "", "--logfile", "redis.log"]
        command += ["--appendonly", "yes" if keeps_data else "no"]
        self._process = subprocess.Popen(command)  # noqa: ASYNC220, S603 - at once, fixed words
        await until(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def _answers(self) -> bool:
        try:
            async with Redis.from_url(self.url, retry=None) as client:
                return bool(await client.time())
        except (RedisError, OSError):
            return False


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("redis-server") is None:
        sentence = "redis-server is not installed here, which this test starts and kills."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest_asyncio.fixture
async def redis(bench: Bench) -> AsyncIterator[Redis]:
    """The server as another program sees it."""
    async with Redis.from_url(bench.url, protocol=2) as client:
        yield client
        await bench.stop()
        await client.delete(bench.topic)


async def contents(redis: Redis, bench: Bench) -> list[dict[bytes, bytes]]:
    entries: Any = await redis.xrange(bench.topic)
    return [fields for _, fields in entries]


async def pending(redis: Redis, bench: Bench) -> int:
    """How many entries have been handed out and not acknowledged."""
    summary: dict[str, Any] = await redis.xpending(bench.topic, bench.consumer)
    return int(summary["pending"])


async def is_all_acknowledged(redis: Redis, bench: Bench) -> bool:
    return await pending(redis, bench) == 0


async def test_the_wire_format_is_plain_fields_and_data(bench: Bench, redis: Redis) -> None:
    adapter = bench.publisher()
    await adapter.start()
    headers = {"ce-id": "7", "content-type": "text/x", "x-empty": "", "x-ключ": "🗝"}
    await adapter.publish(BrokerMessage(bench.topic, b"\xff{}", headers, key="k"))
    [fields] = await contents(redis, bench)
    assert fields == {
        b"ce-subject": b"k",
        b"ce-id": b"7",
        b"content-type": b"text/x",
        b"x-empty": b"",
        "x-ключ".encode(): "🗝".encode(),
        b"data": b"\xff{}",
    }


async def test_what_a_foreign_program_adds_arrives_once_as_well_as_it_can(
    bench: Bench, redis: Redis
) -> None:
    await redis.xadd(bench.topic, {"ce-id": "1", "ce-subject": "k", "raw": b"\xff", "n": 5})
    await redis.xadd(bench.topic, {"ce-id": "2", "data": "{}"})
    await redis.xadd(bench.topic, {"__data__": "BIN", b"\xfe": "x"})
    adapter = bench.listener()
    await adapter.start()
    await until(lambda: len(bench.received) == 3)
    await until(lambda: is_all_acknowledged(redis, bench))
    lost = "\N{REPLACEMENT CHARACTER}"
    attributes = {"ce-id": "1", "ce-subject": "k", "raw": lost, "n": "5"}
    assert bench.received == [
        BrokerMessage(bench.topic, b"", attributes, "k"),
        BrokerMessage(bench.topic, b"{}", {"ce-id": "2"}),
        BrokerMessage(
            bench.topic,
            f'{{"__data__": "BIN", "{lost}": "x"}}'.encode(),
            {"__data__": "BIN", lost: "x"},
        ),
    ]


async def test_a_refused_message_names_itself_and_stops_no_other(
    bench: Bench, redis: Redis
) -> None:
    adapter = bench.listener()
    await adapter.start()
    await redis.set(f"{bench.topic}.string", "not a stream", ex=60)
    refused = [
        bench.message(headers={"data": "the body's own field"}),
        bench.message(headers={"x-half": "\ud800"}),
        bench.message(headers={"x-\ud800": "half"}),
        bench.message(bytes(MAX_BODY_BYTES + 1)),
        BrokerMessage("\ud800", b"", {}),
        BrokerMessage(f"{bench.topic}.string", b"", {}),
    ]
    healthy = [bench.message(b"%03d" % number) for number in range(100)]
    messages = [*healthy[:50], *refused, *healthy[50:]]
    outcomes = await asyncio.gather(*map(adapter.publish, messages), return_exceptions=True)
    by_outcome = [type(outcome) for outcome in outcomes]
    assert by_outcome.count(MessageRefusedError) == len(refused), outcomes
    assert by_outcome.count(type(None)) == len(healthy)
    await until(lambda: len(bench.received) == len(healthy))


async def test_deliveries_run_side_by_side_up_to_the_prefetch(bench: Bench, redis: Redis) -> None:
    running, release = 0, asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        nonlocal running
        running += 1
        await release.wait()
        await bench.keep(message)

    adapter = bench.listener(receive)
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(PREFETCH + 3)))
    await until(lambda: running == PREFETCH == 20)
    assert await pending(redis, bench) == PREFETCH
    release.set()
    await until(lambda: len(bench.received) == PREFETCH + 3)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("keep_hours=week", "keep_hours is a number of hours above 0, not 'week'"),
        ("keep_hours=0", "keep_hours"),
        ("keep_hours=nan", "keep_hours"),
        ("keep_entries=1.5", "keep_entries is a number of entries above 0, not '1.5'"),
        ("keep_entries=0", "keep_entries"),
        ("keep_hours=1&keep_entries=1", "not by both"),
        ("socket_timeout=soon", "socket_timeout"),
        ("nonsense=1", "nonsense"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused(query: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RedisAdapter(f"redis://127.0.0.1:6379/0?{query}", "test")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port", "redis://127.0.0.1/orders"])
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"port|orders"):
        RedisAdapter(url, "test")


async def test_a_stream_is_trimmed_by_age(bench: Bench, redis: Redis) -> None:
    seconds, _ = await redis.time()
    for number in range(250):
        await redis.xadd(bench.topic, {"old": number}, id=f"{(seconds - 9000) * 1000}-{number}")
    patient, hasty = bench.publisher(), bench.publisher(f"{bench.url}?keep_hours=2.4")
    await patient.start()
    await hasty.start()
    await patient.publish(bench.message())
    assert await redis.xlen(bench.topic) == 251
    await hasty.publish(bench.message())
    # Whole nodes go at a time, of 100 entries unless the server says otherwise.
    kept = await contents(redis, bench)
    assert len(kept) < 151
    assert [b"data" in fields for fields in kept[-2:]] == [True, True]


async def test_a_stream_is_trimmed_by_length(bench: Bench, redis: Redis) -> None:
    adapter = bench.publisher(f"{bench.url}?keep_entries=100&socket_timeout=3")
    await adapter.start()
    await asyncio.gather(*(adapter.publish(bench.message()) for _ in range(500)))
    assert 100 <= await redis.xlen(bench.topic) <= 200


async def test_a_trimmed_entry_that_was_never_handled_is_let_go(bench: Bench, redis: Redis) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    entry_id = await redis.xadd(bench.topic, {"data": "gone"})
    await redis.xreadgroup(bench.consumer, "dead", {bench.topic: ">"})
    await redis.xdel(bench.topic, entry_id)
    adapter = bench.listener(claim_after=0.5)
    await adapter.start()
    await adapter.publish(bench.message(b"1"))
    await until(lambda: is_all_acknowledged(redis, bench))
    await until(lambda: bench.bodies() == [b"1"])


async def test_what_a_dead_reader_held_is_claimed(bench: Bench, redis: Redis) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    publisher = bench.publisher()
    await publisher.start()
    bodies = [b"%03d" % number for number in range(50)]
    for body in bodies:
        await publisher.publish(bench.message(body))
    await redis.xreadgroup(bench.consumer, "dead", {bench.topic: ">"}, count=45)
    await bench.listener(claim_after=1.0).start()
    await until(lambda: bench.bodies() == bodies)
    await until(lambda: is_all_acknowledged(redis, bench))


async def test_what_a_stop_interrupts_goes_to_another_at_once(bench: Bench, redis: Redis) -> None:
    failed = asyncio.Event()

    async def fail(message: BrokerMessage) -> None:
        failed.set()
        raise RuntimeError("no")

    first = bench.listener(fail, retry_pause=60, claim_after=20.0)
    await first.start()
    await first.publish(bench.message(b"1"))
    await asyncio.wait_for(failed.wait(), DEADLINE)
    await bench.listener(claim_after=20.0).start()
    stopped = asyncio.get_running_loop().time()
    await first.stop()
    await until(lambda: bench.bodies() == [b"1"])
    assert asyncio.get_running_loop().time() - stopped < 5


async def test_a_handler_that_takes_longer_than_the_claim_time_runs_once(
    bench: Bench, redis: Redis
) -> None:
    begun = list[bytes]()

    async def take_long(message: BrokerMessage) -> None:
        begun.append(message.body)
        await asyncio.sleep(2)
        await bench.keep(message)

    first, second = (bench.listener(take_long, claim_after=0.6) for _ in range(2))
    await first.start()
    await second.start()
    for number in range(4):
        await first.publish(bench.message(b"%d" % number))
    await until(lambda: len(bench.received) == 4)
    await until(lambda: is_all_acknowledged(redis, bench))
    assert sorted(begun) == [b"0", b"1", b"2", b"3"]


async def test_a_reader_leaves_no_name_behind_and_forgets_those_of_the_dead(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def names() -> list[bytes]:
        return [each["name"] for each in await redis.xinfo_consumers(bench.topic, bench.consumer)]

    adapter = bench.listener(claim_after=DEADLINE)
    await adapter.start()
    # Its first read gives it a name.
    await until(names)
    [own] = await names()
    assert own.startswith(socket.gethostname().encode())
    await redis.xgroup_createconsumer(bench.topic, bench.consumer, "dead")
    await adapter.stop()
    assert await names() == [b"dead"]
    await redis.xgroup_createconsumer(bench.topic, bench.consumer, "holds an entry")
    await redis.xadd(bench.topic, {"data": "1"})
    await redis.xreadgroup(bench.consumer, "holds an entry", {bench.topic: ">"})
    monkeypatch.setattr(group, "DAY_MS", 0)
    await asyncio.sleep(0.01)
    await adapter.start()
    assert b"dead" not in await names()
    assert b"holds an entry" in await names()


async def test_a_start_on_a_key_that_is_no_stream_leaves_no_connection(
    bench: Bench, redis: Redis, proxy: Proxy
) -> None:
    await redis.set(bench.topic, "not a stream")
    adapter = bench.listener(url=proxy.url)
    with pytest.raises(BrokerUnavailableError, match="WRONGTYPE"):
        await adapter.start()
    await until(lambda: proxy.connections == 0)
    await redis.delete(bench.topic)
    await adapter.start()
    assert await adapter.is_connected()


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


async def test_a_holder_that_stood_still_reads_nothing_more(bench: Bench, redis: Redis) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    late = Lease(Member(redis, bench.topic, bench.consumer), 0.2)
    successor = Lease(Member(redis, bench.topic, bench.consumer), 5.0)
    assert await late.take()
    assert not await successor.take()
    await until(successor.take)
    await redis.xadd(bench.topic, {"data": "1"})
    assert await late.read(20, 0.1) == []
    assert not late.held
    assert [fields for _, fields in await successor.read(20, 0.1)] == [{b"data": b"1"}]
    assert await successor.read(20, 0.1) == []
    await successor.release()


async def test_a_holder_waits_for_new_entries_whoever_read_the_last(
    bench: Bench, redis: Redis
) -> None:
    await redis.xgroup_create(bench.topic, bench.consumer, id="0", mkstream=True)
    first = Lease(Member(redis, bench.topic, bench.consumer), 5.0)
    other = Member(redis, bench.topic, bench.consumer)
    assert await first.take()
    await redis.xadd(bench.topic, {"data": "1"})
    assert len(await first.read(20, 0.1)) == 1
    # Read by another: a successor, or this holder before the answer was lost.
    await redis.xadd(bench.topic, {"data": "2"})
    assert len(await other.read(">", 20, 0.1)) == 1
    clock = asyncio.get_running_loop().time
    assert await first.read(20, 0.3) == []
    begin = clock()
    assert await first.read(20, 0.3) == []
    assert clock() - begin > 0.2
    await first.release()
    assert await first.take()
    begin = clock()
    assert await first.read(20, 0.3) == []
    assert clock() - begin > 0.2
    await first.release()


@pytest.mark.parametrize("ordered", [False, True])
async def test_nothing_confirmed_is_lost_when_the_server_is_killed_and_keeps_its_data(
    bench: Bench, own_server: Server, ordered: bool
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
    bench: Bench, own_server: Server, ordered: bool
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


async def test_a_server_that_may_not_write_is_away_and_blames_no_message(
    bench: Bench, own_server: Server
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
