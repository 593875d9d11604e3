"""A feature's table of contents: which message goes to which function."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

from fastapi import APIRouter
from sqlmodel.ext.asyncio.session import AsyncSession

from app.building_blocks.integration_event import IntegrationEvent
from app.building_blocks.mediator import Mediator
from app.building_blocks.messages import Command, DomainEvent, Query
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.unit_of_work import UnitOfWork

C = TypeVar("C", bound=Command[Any])
Q = TypeVar("Q", bound=Query[Any])
D = TypeVar("D", bound=DomainEvent)
I = TypeVar("I", bound=IntegrationEvent)  # noqa: E741

Handler = Callable[..., Awaitable[Any]]
Converter = Callable[..., IntegrationEvent]


@dataclass(frozen=True)
class Subscription:
    """One integration event handler. `retry` None means the service's default policy.

    With `batch` the handler takes a list, of at most so many events.
    """

    feature: str
    event: type[IntegrationEvent]
    handler: Callable[[Any, Mediator], Awaitable[None]]
    retry: RetryPolicy | None = None
    ordered: bool = False
    do_not_retry: tuple[type[Exception], ...] = ()
    batch: int | None = None

    def policy(self, default: RetryPolicy) -> RetryPolicy:
        """Its own retry policy or the service's, with its own exceptions not worth retrying."""
        policy = self.retry or default
        return replace(policy, do_not_retry=policy.do_not_retry + self.do_not_retry)

    @property
    def name(self) -> str:
        """Feature and handler; with the service's name before it, the consumer."""
        return f"{self.feature}.{self.handler.__name__}"


class Feature:
    """Collects a feature's wiring. Nothing happens here; `main.py` puts it together."""

    def __init__(self, name: str, *, router: APIRouter | None = None) -> None:
        self.name = name
        self.router = router
        self.commands: list[tuple[type[Command[Any]], Handler]] = []
        self.queries: list[tuple[type[Query[Any]], Handler]] = []
        self.domain_event_handlers: list[tuple[type[DomainEvent], Handler]] = []
        self.converters: list[tuple[type[DomainEvent], Converter]] = []
        self.subscriptions: list[Subscription] = []

    def handle(self, command: type[C], handler: Callable[[C, UnitOfWork], Awaitable[Any]]) -> None:
        """`command` is carried out by `handler`, and by no other in the whole service."""
        self.commands.append((command, handler))

    def answer(self, query: type[Q], handler: Callable[[Q, AsyncSession], Awaitable[Any]]) -> None:
        """`query` is answered by `handler`."""
        self.queries.append((query, handler))

    def react(self, event: type[D], handler: Callable[[D, UnitOfWork], Awaitable[None]]) -> None:
        """`handler` runs in the transaction that recorded `event`; if it raises, nothing stays."""
        self.domain_event_handlers.append((event, handler))

    def publish(self, event: type[D], converter: Callable[[D], IntegrationEvent]) -> None:
        """`event` leaves the feature as the integration event that `converter` makes of it."""
        self.converters.append((event, converter))

    @overload
    def subscribe(
        self,
        event: type[I],
        handler: Callable[[I, Mediator], Awaitable[None]],
        *,
        retry: RetryPolicy | None = None,
        ordered: bool = False,
        do_not_retry: tuple[type[Exception], ...] = (),
    ) -> None: ...

    @overload
    def subscribe(
        self,
        event: type[I],
        handler: Callable[[list[I], Mediator], Awaitable[None]],
        *,
        batch: int,
        retry: RetryPolicy | None = None,
        do_not_retry: tuple[type[Exception], ...] = (),
    ) -> None: ...

    def subscribe(
        self,
        event: type[IntegrationEvent],
        handler: Callable[[Any, Mediator], Awaitable[None]],
        *,
        retry: RetryPolicy | None = None,
        ordered: bool = False,
        do_not_retry: tuple[type[Exception], ...] = (),
        batch: int | None = None,
    ) -> None:
        """`handler` gets each `event` that any feature or service publishes, once in effect.

        With `ordered`, events of one key are handled in their order: later ones wait while an
        earlier one runs or is tried again. `retry` replaces the service's policy; exceptions in
        `do_not_retry` are final the first time, whichever policy it is.

        With `batch` the handler takes a list: what waits, at most so many, in one transaction. If
        that fails each event is handled alone, in a list of one, and so it is when tried again.
        The events of a list carry the same tenant, environment and other carriers. Of several,
        a correlation id that not all share gives way to a new one, and there is no causation id.
        """
        self.subscriptions.append(
            Subscription(self.name, event, handler, retry, ordered, do_not_retry, batch)
        )
