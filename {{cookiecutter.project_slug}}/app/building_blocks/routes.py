"""Which message goes to which functions."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from app.building_blocks.messages import Command, DomainEvent, Query

K = TypeVar("K")
V = TypeVar("V")


class Routes(NamedTuple):
    """The whole system in four tables."""

    commands: Mapping[type[Command[Any]], Callable[..., Awaitable[Any]]]
    queries: Mapping[type[Query[Any]], Callable[..., Awaitable[Any]]]
    domain_event_handlers: Mapping[type[DomainEvent], Sequence[Callable[..., Awaitable[None]]]]
    converters: Mapping[type[DomainEvent], Sequence[Callable[..., Any]]]


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Every value of each key, in the order they came."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
