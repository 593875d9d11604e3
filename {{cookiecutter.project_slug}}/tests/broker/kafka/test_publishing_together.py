"""What becomes of many sends that share one timeout."""

import asyncio

import pytest

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.kafka.producer import KafkaProducer
from app.building_blocks.brokers.kafka.wire import OutgoingRecord
from tests.broker.bench import Bench, until


class SlowSends:
    """Sends of `b"slow"`, which never end by themselves."""

    begun = given_up = 0


@pytest.fixture
def slow_sends(monkeypatch: pytest.MonkeyPatch) -> SlowSends:
    counts, send = SlowSends(), KafkaProducer.send

    async def slow(self: KafkaProducer, record: OutgoingRecord) -> None:
        if record.value != b"slow":
            await send(self, record)
            return
        counts.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            counts.given_up += 1

    monkeypatch.setattr(KafkaProducer, "send", slow)
    return counts


async def test_one_that_takes_too_long_takes_no_other_along(
    bench: Bench, slow_sends: SlowSends
) -> None:
    adapter = bench.publisher(timeout=0.5)
    await adapter.start()
    messages = [bench.message(body) for body in (b"1", b"slow", b"2")]
    first, slow, second = await adapter.publish_all(messages)
    assert first is second is None
    assert isinstance(slow, BrokerUnavailableError)
    assert slow_sends.given_up == 1


async def test_a_publish_that_is_cancelled_leaves_no_send_behind(
    bench: Bench, slow_sends: SlowSends
) -> None:
    adapter = bench.publisher(timeout=30.0)
    await adapter.start()
    publishing = asyncio.create_task(adapter.publish_all([bench.message(b"slow")] * 2))
    await until(lambda: slow_sends.begun == 2)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    assert slow_sends.given_up == 2


async def test_nothing_to_publish_is_published(bench: Bench) -> None:
    adapter = bench.publisher()
    await adapter.start()
    assert list(await adapter.publish_all([])) == []
