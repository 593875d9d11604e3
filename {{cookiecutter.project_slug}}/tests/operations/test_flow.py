"""The map shows what leads to what in this service, from the code and not from a drawing."""

from typing import Any, ClassVar

from app.building_blocks.aggregate import AggregateRoot
from app.building_blocks.feature import Feature
from app.building_blocks.messages import Command, DomainEvent
from app.building_blocks.operations.flow import KINDS, flow_of
from app.building_blocks.operations.mermaid import as_markdown
from app.building_blocks.wiring import Wiring
from app.features import FEATURES

SAMPLE = """
command CreateOrder -> aggregate Order
aggregate Order -> domain event OrderCreated
command PayOrder -> aggregate Order
aggregate Order -> domain event OrderPaid
command CancelOrder -> aggregate Order
aggregate Order -> domain event OrderCancelled
domain event OrderCreated -> converter convert_order_created
converter convert_order_created -> topic orders.order-created.v1
domain event OrderPaid -> converter convert_order_paid
converter convert_order_paid -> topic orders.order-paid.v1
domain event OrderCancelled -> converter convert_order_cancelled
converter convert_order_cancelled -> topic orders.order-cancelled.v1
topic payments.payment-taken.v1 -> consumer orders.when_payment_taken
consumer orders.when_payment_taken -> command PayOrder
topic payments.payment-declined.v1 -> consumer orders.when_payment_declined
consumer orders.when_payment_declined -> command CancelOrder
command TakePayment -> aggregate Payment
aggregate Payment -> domain event PaymentDeclined
aggregate Payment -> domain event PaymentTaken
domain event PaymentTaken -> converter convert_payment_taken
converter convert_payment_taken -> topic payments.payment-taken.v1
domain event PaymentDeclined -> converter convert_payment_declined
converter convert_payment_declined -> topic payments.payment-declined.v1
topic orders.order-created.v1 -> consumer payments.when_order_created
consumer payments.when_order_created -> command TakePayment
"""


def test_the_sample_features_flow_as_their_authors_say() -> None:
    edges = {
        f"{start.kind} {start.name} -> {end.kind} {end.name}"
        for start, end in flow_of(Wiring(FEATURES)).edges
    }
    # Features of your own may be there, too.
    assert set(SAMPLE.strip().splitlines()) <= edges


def test_every_node_is_of_a_known_kind_and_on_some_way() -> None:
    flow = flow_of(Wiring(FEATURES))
    assert {node.kind for node in flow.nodes} <= set(KINDS)
    assert {node for edge in flow.edges for node in edge} == set(flow.nodes)
    assert len(set(flow.edges)) == len(flow.edges)


def test_a_service_without_features_has_an_empty_map() -> None:
    assert flow_of(Wiring([])).edges == ()
    assert "flowchart LR\n" in as_markdown("shop", flow_of(Wiring([])))


class Counted(DomainEvent):
    topic: ClassVar[str] = ""


class Pile(AggregateRoot):
    def count(self) -> None:
        self.record(Counted())


class CountPile(Command[None]):
    pass


class CountAll(Command[None]):
    pass


async def count_all(command: CountAll, uow: Any) -> None:
    piles = [await uow.get(Pile, number) for number in range(3)]
    any(pile.count() for pile in piles)
    list(map(lambda number: CountPile(), [1]))  # noqa: C417 - a lambda is the point


async def count_pile(command: CountPile, uow: Any) -> None: ...


def test_what_is_named_within_a_comprehension_or_a_lambda_is_seen() -> None:
    feature = Feature("tests")
    feature.handle(CountAll, count_all)
    feature.handle(CountPile, count_pile)
    edges = {(start.name, end.name) for start, end in flow_of(Wiring([feature])).edges}
    assert edges == {("CountAll", "Pile"), ("Pile", "Counted"), ("CountAll", "CountPile")}


def test_the_map_as_markdown_has_a_line_for_each_node_and_each_edge() -> None:
    flow = flow_of(Wiring(FEATURES))
    text = as_markdown("shop", flow)
    assert text.startswith("# The flow of shop\n")
    _, diagram, _ = text.split("```")
    assert diagram.startswith("mermaid\nflowchart LR\n")
    assert diagram.count(" --> ") == len(flow.edges)
    assert len(diagram.strip().splitlines()) == 2 + len(flow.nodes) + len(flow.edges)
