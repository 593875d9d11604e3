"""How a message looks on NATS, and which ones it refuses."""

import pytest

from app.building_blocks.brokers.adapter import BrokerMessage
from tests.broker.bench import Bench, until
from tests.broker.nats.outsider import Outsider
from tests.broker.refusals import refusals_of


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
    assert plain == BrokerMessage(bench.topic, b"plain", {})


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
    *_, too_large = await refusals_of(bench, adapter, refused)
    assert "raise max_payload" in str(too_large)


async def test_names_that_would_mean_another_consumer_or_subject_are_refused(bench: Bench) -> None:
    adapter = bench.listener()
    with pytest.raises(ValueError):
        adapter.subscribe(bench.topic, bench.consumer, bench.keep)
    with pytest.raises(ValueError):
        adapter.subscribe(bench.topic, "service.feature.<lambda>", bench.keep)
    with pytest.raises(ValueError):
        adapter.declare("orders.>")
