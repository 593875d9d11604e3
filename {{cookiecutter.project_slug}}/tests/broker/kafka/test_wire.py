"""How a record looks on Kafka."""

from app.building_blocks.brokers.adapter import BrokerMessage
from tests.broker.bench import Bench, until
from tests.broker.kafka.program import Program


async def test_the_wire_format_is_the_cloudevents_kafka_binding(
    bench: Bench, program: Program
) -> None:
    adapter = bench.publisher()
    await adapter.start()
    headers = {"ce-id": "7", "content-type": "text/x", "x-a": "blå"}
    await adapter.publish(BrokerMessage(bench.topic, b"{}", headers, key="ключ"))
    record = await program.read_one(bench.topic)
    assert (record.value(), record.key()) == (b"{}", "ключ".encode())
    assert sorted(record.headers() or []) == [
        ("ce_id", b"7"),
        ("ce_subject", "ключ".encode()),
        ("content-type", b"text/x"),
        ("x-a", "blå".encode()),
    ]


async def test_what_a_foreign_program_sends_is_received(bench: Bench, program: Program) -> None:
    adapter = bench.listener()
    await adapter.start()
    headers = [("ce_id", b"1"), ("raw", b"\xff"), ("none", None)]
    await program.send(bench.topic, None, key="k", headers=headers)
    await until(lambda: bench.received)
    expected = {"ce-id": "1", "raw": "\N{REPLACEMENT CHARACTER}", "none": ""}
    assert bench.received == [BrokerMessage(bench.topic, b"", expected, key="k")]
