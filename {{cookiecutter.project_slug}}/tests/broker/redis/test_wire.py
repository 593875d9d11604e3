"""How an entry looks in a stream, and which messages are refused."""

from redis.asyncio import Redis

from app.building_blocks.brokers.adapter import BrokerMessage
from app.building_blocks.brokers.redis.wire import MAX_BODY_BYTES
from tests.broker.bench import Bench, until
from tests.broker.redis.outsider import contents, is_all_acknowledged
from tests.broker.refusals import refusals_of


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
    await refusals_of(bench, adapter, refused)
