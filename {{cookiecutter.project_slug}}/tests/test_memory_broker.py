"""The in-memory broker keeps the promises of a broker with confirms and acknowledgements."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Annotated, Any

import pytest
from faststream import BaseMiddleware, Context, StreamMessage
from faststream.exceptions import FeatureNotSupportedException, SetupError
from faststream.response import PublishCommand
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage, BrokerUnavailableError
from app.building_blocks.brokers.memory.adapter import MemoryAdapter
from app.building_blocks.brokers.memory.broker import MemoryBroker
from app.building_blocks.brokers.memory.router import MemoryRouter

TOPIC = "orders.order-created.v1"
MESSAGE = BrokerMessage(TOPIC, b"{}")
DEADLINE = 10.0
FOREVER = 3600.0


class OrderPlaced(BaseModel):
    customer: str
    amount: Decimal


@asynccontextmanager
async def running(broker: MemoryAdapter | MemoryBroker) -> AsyncIterator[None]:
    async with asyncio.timeout(DEADLINE):
        await broker.start()
        try:
            yield
        finally:
            await broker.stop()


def adapter(*, retry_pause: float = 0.0, graceful_timeout: float = 15.0) -> MemoryAdapter:
    return MemoryAdapter(
        "memory://", "shop", retry_pause=retry_pause, graceful_timeout=graceful_timeout
    )


def collect_into(received: list[BrokerMessage]) -> Callable[[BrokerMessage], Awaitable[None]]:
    async def receive(message: BrokerMessage) -> None:
        received.append(message)

    return receive


def other_tasks() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


async def fail(message: BrokerMessage) -> None:
    raise ConnectionError("the database is down")


class Gate:
    """A handler that says when it was reached and waits until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.passed = False
        self.cancelled = False

    async def __call__(self, message: BrokerMessage) -> None:
        self.reached.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.passed = True


def test_it_is_a_broker_adapter() -> None:
    conforming: BrokerAdapter = adapter()
    assert conforming


async def test_publish_returns_after_every_group_has_acknowledged() -> None:
    broker, gates = adapter(), [Gate(), Gate()]
    for number, gate in enumerate(gates):
        broker.subscribe(TOPIC, f"consumer-{number}", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        for gate in gates:
            await gate.reached.wait()
            assert not publish.done()
            gate.opened.set()
        await publish
    assert all(gate.passed for gate in gates)


async def test_a_topic_that_nobody_listens_to_confirms_at_once() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe("payments.payment-taken.v1", "orders.pay", collect_into(received))
    async with running(broker):
        await broker.publish(MESSAGE)
    assert received == []


async def test_a_group_that_fails_fails_the_publish_and_the_others_still_get_the_message() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "before", collect_into(received))
    broker.subscribe(TOPIC, "failing", fail)
    broker.subscribe(TOPIC, "after", collect_into(received))
    async with running(broker):
        with pytest.raises(BrokerUnavailableError, match=f"{TOPIC} .* by failing:"):
            await broker.publish(MESSAGE)
    assert len(received) == 2


async def test_500_concurrent_publishes_reach_each_of_two_groups_once() -> None:
    broker, groups = adapter(), (list[BrokerMessage](), list[BrokerMessage]())
    for number, received in enumerate(groups):
        broker.subscribe(TOPIC, f"consumer-{number}", collect_into(received))
    bodies = [str(number).encode() for number in range(500)]
    async with running(broker):
        await asyncio.gather(*(broker.publish(BrokerMessage(TOPIC, body)) for body in bodies))
    for received in groups:
        assert [message.body for message in received] == bodies


async def test_deliveries_start_in_arrival_order_and_one_slow_handler_holds_up_no_other() -> None:
    broker, started, slow = MemoryBroker(prefetch=2), list[int](), asyncio.Event()

    @broker.subscriber(TOPIC)
    async def handle(number: int) -> None:
        started.append(number)
        if number == 0:
            await slow.wait()

    async with running(broker):
        first = asyncio.create_task(broker.publish(0, TOPIC))
        await asyncio.gather(*(broker.publish(number, TOPIC) for number in range(1, 50)))
        assert not first.done()
        slow.set()
        await first
    assert started == sorted(started)
    assert len(started) == 50


async def test_no_more_than_prefetch_messages_of_a_group_are_handled_at_a_time() -> None:
    broker, now, most = MemoryBroker(prefetch=3), 0, 0

    @broker.subscriber(TOPIC)
    async def handle(number: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    async with running(broker):
        await asyncio.gather(*(broker.publish(number, TOPIC) for number in range(50)))
    assert most == 3


async def test_a_context_variable_set_by_one_delivery_is_not_seen_by_the_next() -> None:
    broker, tenant, seen = adapter(), ContextVar("tenant", default="nobody"), list[str]()

    async def receive(message: BrokerMessage) -> None:
        seen.append(tenant.get())
        tenant.set("ada")

    broker.subscribe(TOPIC, "orders.pay", receive)
    async with running(broker):
        await broker.publish(MESSAGE)
        await broker.publish(MESSAGE)
    assert seen == ["nobody", "nobody"]


async def test_a_failure_is_logged_once_with_its_consumer_topic_and_cause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = adapter()
    broker.subscribe(TOPIC, "orders.pay", fail)
    with caplog.at_level(logging.INFO):
        async with running(broker):
            with pytest.raises(BrokerUnavailableError):
                await broker.publish(MESSAGE)
    (record,) = caplog.records
    assert record.name == "app.broker"
    assert record.levelno == logging.ERROR
    assert "orders.pay" in record.getMessage()
    assert TOPIC in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ConnectionError)


async def test_a_message_that_is_handled_is_not_worth_a_line_at_info(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = adapter()
    broker.subscribe(TOPIC, "orders.pay", collect_into([]))
    with caplog.at_level(logging.INFO):
        async with running(broker):
            await broker.publish(MESSAGE)
    assert caplog.records == []


async def test_a_failed_message_is_held_for_the_wait_before_it_is_given_back() -> None:
    broker = adapter(retry_pause=0.1)
    broker.subscribe(TOPIC, "failing", fail)
    clock = asyncio.get_running_loop().time
    async with running(broker):
        pass
    async with running(broker):
        begin = clock()
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(MESSAGE)
        # Half the wait is the least that jitter leaves; timers may fire a clock tick early.
        assert clock() - begin > 0.045


async def test_stop_cuts_the_wait_before_a_nack_short() -> None:
    broker, failed = adapter(retry_pause=FOREVER, graceful_timeout=FOREVER), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        failed.set()
        raise ConnectionError("the database is down")

    broker.subscribe(TOPIC, "failing", receive)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await failed.wait()
        await broker.stop()
        with pytest.raises(BrokerUnavailableError):
            await publish


async def test_stop_lets_a_running_delivery_finish_and_takes_no_new_message() -> None:
    broker, gate = adapter(), Gate()
    broker.subscribe(TOPIC, "slow", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        stop = asyncio.create_task(broker.stop())
        await asyncio.sleep(0)
        assert not await broker.is_connected()
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(MESSAGE)
        assert not stop.done()
        gate.opened.set()
        await stop
        await publish
    assert gate.passed


async def test_stop_cancels_what_outlives_the_graceful_time() -> None:
    broker, gate = adapter(graceful_timeout=0.01), Gate()
    broker.subscribe(TOPIC, "endless", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        await broker.stop()
        with pytest.raises(BrokerUnavailableError, match="endless"):
            await publish
    assert gate.cancelled


async def test_a_handler_that_swallows_its_cancellation_neither_acknowledges_nor_blocks_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.building_blocks.brokers.memory.subscriber.CANCELLATION_TIMEOUT", 0.01)
    broker, gate, ended = adapter(graceful_timeout=0.01), Gate(), asyncio.Event()

    async def receive(message: BrokerMessage) -> None:
        try:
            await gate(message)
        except asyncio.CancelledError:
            await gate.opened.wait()
        ended.set()

    broker.subscribe(TOPIC, "stubborn", receive)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        await broker.stop()
        assert not ended.is_set()
        with pytest.raises(BrokerUnavailableError):
            await publish
        gate.opened.set()
        await ended.wait()


async def test_messages_that_wait_their_turn_are_given_back_by_stop() -> None:
    broker, reached, opened = MemoryBroker(prefetch=1), asyncio.Event(), asyncio.Event()

    @broker.subscriber(TOPIC)
    async def handle(number: int) -> None:
        reached.set()
        await opened.wait()

    async with running(broker):
        publishes = [asyncio.create_task(broker.publish(n, TOPIC)) for n in range(5)]
        await reached.wait()
        stop = asyncio.create_task(broker.stop())
        for waiting in publishes[1:]:
            with pytest.raises(BrokerUnavailableError):
                await waiting
        opened.set()
        await stop
        await publishes[0]


async def test_a_cancelled_handler_never_acknowledges() -> None:
    broker = adapter()

    async def receive(message: BrokerMessage) -> None:
        raise asyncio.CancelledError

    broker.subscribe(TOPIC, "cancelled", receive)
    async with running(broker):
        with pytest.raises(BrokerUnavailableError, match="cancelled"):
            await broker.publish(MESSAGE)


async def test_a_publish_that_is_cancelled_leaves_the_delivery_alone() -> None:
    broker, gate = adapter(), Gate()
    broker.subscribe(TOPIC, "slow", gate)
    async with running(broker):
        publish = asyncio.create_task(broker.publish(MESSAGE))
        await gate.reached.wait()
        publish.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publish
        gate.opened.set()
        await broker.publish(MESSAGE)
    assert gate.passed


async def test_publish_before_start_and_after_stop_is_refused_and_start_works_again() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    with pytest.raises(BrokerUnavailableError):
        await broker.publish(MESSAGE)
    for round_number in (1, 2):
        async with running(broker):
            await broker.start()
            assert await broker.is_connected()
            await broker.publish(MESSAGE)
        assert len(received) == round_number
        assert not await broker.is_connected()
        assert not other_tasks()
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(MESSAGE)


async def test_one_adapter_serves_two_event_loops_one_after_the_other() -> None:
    broker = adapter(retry_pause=0.001)
    broker.subscribe(TOPIC, "failing", fail)

    async def publish_once() -> None:
        async with running(broker):
            with pytest.raises(BrokerUnavailableError, match="failing"):
                await broker.publish(MESSAGE)

    for _ in range(2):
        await asyncio.to_thread(asyncio.run, publish_once())


@pytest.mark.parametrize(
    "body",
    [b"", b'{"half": ', b"\xff\xfe\x00", "\U0001f980 für Ada".encode(), b"\x00\xff" * 2**19],
    ids=["empty", "malformed json", "not utf-8", "unicode", "1 MiB"],
)
async def test_a_message_arrives_byte_for_byte_with_the_headers_that_were_sent(body: bytes) -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    headers = {"content-type": "application/json", "ce-id": "1", "ce-subject": "order-7"}
    async with running(broker):
        await broker.publish(BrokerMessage(TOPIC, body, headers, key="order-7"))
        await broker.publish(BrokerMessage(TOPIC, body))
    assert received == [
        BrokerMessage(TOPIC, body, headers, key="order-7"),
        BrokerMessage(TOPIC, body, {}, key=None),
    ]


async def test_one_consumer_name_cannot_be_bound_twice_to_a_topic() -> None:
    broker, received = adapter(), list[BrokerMessage]()
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    broker.subscribe(TOPIC, "orders.pay", collect_into(received))
    with pytest.raises(SetupError, match=f"{TOPIC} .* orders.pay"):
        await broker.start()
    assert not await broker.is_connected()
    assert not other_tasks()


async def test_a_subscription_after_start_is_refused() -> None:
    broker = adapter()
    async with running(broker):
        with pytest.raises(RuntimeError, match="before start"):
            broker.subscribe(TOPIC, "late", fail)


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
