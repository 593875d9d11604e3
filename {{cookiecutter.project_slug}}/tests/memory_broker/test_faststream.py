"""It is a broker of FastStream: typed handlers, routers, middlewares, AsyncAPI."""

import json
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any

import pytest
from faststream import BaseMiddleware, Context, StreamMessage
from faststream.exceptions import FeatureNotSupportedException
from faststream.response import PublishCommand
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from app.building_blocks.brokers.adapter import BrokerUnavailableError
from app.building_blocks.brokers.memory.broker import MemoryBroker
from app.building_blocks.brokers.memory.router import MemoryRouter
from tests.memory_broker.bench import TOPIC, adapter, fail, running


class OrderPlaced(BaseModel):
    customer: str
    amount: Decimal


async def test_a_typed_handler_of_a_router_gets_its_model_and_the_message() -> None:
    seen: list[tuple[OrderPlaced, StreamMessage[Any]]] = []
    router = MemoryRouter("shop.")

    @router.subscriber("placed")
    async def handle(
        order: OrderPlaced, message: Annotated[StreamMessage[Any], Context("message")]
    ) -> None:
        seen.append((order, message))

    broker, sent = (
        MemoryBroker(routers=[router]),
        OrderPlaced(customer="Ада", amount=Decimal("9.50")),
    )
    async with running(broker):
        await broker.publish(
            sent, "shop.placed", headers={"tenant": "t1"}, correlation_id="request-1"
        )
    ((order, message),) = seen
    assert order == sent
    assert message.correlation_id == "request-1"
    assert message.content_type == "application/json"
    assert message.headers == {"tenant": "t1", "content-type": "application/json"}


async def test_what_one_group_does_to_the_headers_the_others_do_not_see() -> None:
    broker, seen = MemoryBroker(), list[dict[str, str]]()

    async def handle(message: Annotated[StreamMessage[Any], Context("message")]) -> None:
        seen.append(dict(message.headers))
        message.headers.clear()

    for group in ("first", "second"):
        broker.subscriber(TOPIC, group=group)(handle)
    async with running(broker):
        await broker.publish(b"", TOPIC, headers={"tenant": "t1"})
    assert seen == [{"tenant": "t1"}, {"tenant": "t1"}]


@pytest.mark.parametrize("body", [b'{"customer": "ada"}', b"{"], ids=["invalid", "malformed"])
async def test_a_typed_handler_that_cannot_take_the_body_fails_the_publish_and_is_logged_once(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    broker = MemoryBroker()

    @broker.subscriber(TOPIC, group="orders.pay")
    async def handle(order: OrderPlaced) -> None:
        pytest.fail("The body is no order.")

    with caplog.at_level(logging.INFO):
        async with running(broker):
            with pytest.raises(BrokerUnavailableError, match=r"orders\.pay"):
                await broker.publish(body, TOPIC, headers={"content-type": "application/json"})
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_middlewares_of_the_broker_and_of_a_router_see_each_message() -> None:
    calls: list[str] = []

    def recorder(name: str) -> type[BaseMiddleware]:
        class Recorder(BaseMiddleware):
            async def publish_scope(
                self, call_next: Callable[[PublishCommand], Awaitable[Any]], cmd: PublishCommand
            ) -> Any:
                calls.append(f"{name} publishes")
                cmd.headers["traceparent"] = "00-1-2-01"
                return await call_next(cmd)

            async def consume_scope(
                self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]
            ) -> Any:
                calls.append(f"{name} consumes {msg.headers['traceparent']}")
                return await call_next(msg)

        return Recorder

    router = MemoryRouter(middlewares=[recorder("router")])

    @router.subscriber(TOPIC)
    async def handle(body: Any) -> None:
        calls.append("handled")

    broker = MemoryBroker(middlewares=[recorder("broker")], routers=[router])
    async with running(broker):
        await broker.publish({}, TOPIC)
    assert calls == [
        "broker publishes",
        "broker consumes 00-1-2-01",
        "router consumes 00-1-2-01",
        "handled",
    ]


def test_asyncapi_names_the_channels_of_both_consumers_before_start() -> None:
    broker = adapter()
    broker.subscribe(TOPIC, "orders.pay", fail)
    broker.subscribe(TOPIC, "mail.thank", fail)
    document = json.loads(AsyncAPI(broker.broker, title="shop").to_specification().to_json())
    assert len(document["channels"]) == 2
    assert {channel["address"] for channel in document["channels"].values()} == {TOPIC}
    (server,) = document["servers"].values()
    assert server["protocol"] == "memory"


def test_asyncapi_shows_the_payload_of_a_typed_handler() -> None:
    broker = MemoryBroker()

    @broker.subscriber(TOPIC, description="Someone placed an order.")
    async def handle(order: OrderPlaced) -> None: ...

    document = json.loads(AsyncAPI(broker).to_specification().to_json())
    (channel,) = document["channels"].values()
    assert channel["description"] == "Someone placed an order."
    assert set(document["components"]["schemas"]["OrderPlaced"]["properties"]) == {
        "customer",
        "amount",
    }


async def test_what_a_memory_broker_cannot_do_it_refuses() -> None:
    broker = MemoryBroker()
    with pytest.raises(FeatureNotSupportedException):
        await broker.request(b"", TOPIC)
    with pytest.raises(FeatureNotSupportedException):
        broker.publisher(TOPIC)
    with pytest.raises(FeatureNotSupportedException):
        await broker.subscriber(TOPIC).get_one()
