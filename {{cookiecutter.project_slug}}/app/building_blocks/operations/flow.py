"""What leads to what in this service, read from the wiring and from the code of the handlers.

command -> aggregate -> domain event -> converter -> topic -> consumer -> command
"""

import inspect
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, NamedTuple, get_type_hints

from app.building_blocks.aggregate import AggregateRoot
from app.building_blocks.messages import Command, DomainEvent
from app.building_blocks.wiring import Wiring

KINDS = ("command", "aggregate", "domain event", "converter", "topic", "consumer")


class Node(NamedTuple):
    """`feature` is whose it is; a topic is everybody's."""

    kind: str
    name: str
    feature: str = ""


Edge = tuple[Node, Node]


class Flow(NamedTuple):
    """Nodes in the order of the wiring; each edge goes from what leads to what follows."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def flow_of(wiring: Wiring) -> Flow:
    """Draw the map. It sees what a handler names: an aggregate, its methods, a command."""
    edges = dict.fromkeys(_edges(wiring))
    nodes = dict.fromkeys(node for edge in edges for node in edge)
    return Flow(tuple(nodes), tuple(edges))


def _edges(wiring: Wiring) -> Iterator[Edge]:
    for feature in wiring.features:
        for command, handler in feature.commands:
            yield from _of_command(command, handler)
        for event, reaction in feature.domain_event_handlers:
            yield from _sent_by(_node("domain event", event), reaction)
        for event, converter in feature.converters:
            made_by = Node("converter", converter.__name__, feature.name)
            yield _node("domain event", event), made_by
            yield made_by, Node("topic", get_type_hints(converter)["return"].topic)
        for subscription in feature.subscriptions:
            consumer = Node("consumer", subscription.name, feature.name)
            yield Node("topic", subscription.event.topic), consumer
            yield from _sent_by(consumer, subscription.handler)


def _of_command(command: type, handler: Callable[..., Any]) -> Iterator[Edge]:
    sent = _node("command", command)
    for aggregate, events in _recorded_by(handler):
        changed = _node("aggregate", aggregate)
        yield sent, changed
        for event in events:
            yield changed, _node("domain event", event)
    yield from _sent_by(sent, handler)


def _sent_by(sender: Node, function: Callable[..., Any]) -> Iterator[Edge]:
    for command in _named(function, Command):
        yield sender, _node("command", command)


def _recorded_by(handler: Callable[..., Any]) -> Iterator[tuple[type, list[type]]]:
    """The aggregates that `handler` names, with what the methods that it calls record."""
    called = _names_in(inspect.unwrap(handler).__code__)
    for aggregate in _named(handler, AggregateRoot):
        methods = [inspect.getattr_static(aggregate, name, None) for name in sorted(set(called))]
        functions = [getattr(method, "__func__", method) for method in methods]
        events = [
            event
            for function in functions
            if inspect.isfunction(function)
            for event in _named(function, DomainEvent)
        ]
        yield aggregate, list(dict.fromkeys(events))


def _named(function: Callable[..., Any], kind: type) -> list[type[Any]]:
    """The subclasses of `kind` that the code of `function` names."""
    plain = inspect.unwrap(function)
    named = (plain.__globals__.get(name) for name in _names_in(plain.__code__))
    return [one for one in named if isinstance(one, type) and issubclass(one, kind)]


def _names_in(code: CodeType) -> list[str]:
    """The names that it uses, also within a lambda or a comprehension."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return [*code.co_names, *(name for part in inner for name in _names_in(part))]


def _node(kind: str, of: type) -> Node:
    """Its feature is the folder below `features` that it lies in."""
    feature = of.__module__.partition("features.")[2].partition(".")[0]
    return Node(kind, of.__name__, feature)
