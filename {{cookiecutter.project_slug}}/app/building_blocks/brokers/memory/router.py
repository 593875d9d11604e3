"""Binds handlers to topics: what a MemoryBroker and its routers have in common."""

from collections.abc import Sequence
from typing import Any, NoReturn

from faststream import AckPolicy
from faststream._internal.broker.registrator import Registrator
from faststream._internal.broker.router import BrokerRouter
from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream._internal.types import BrokerMiddleware, CustomCallable
from faststream.exceptions import FeatureNotSupportedException
from faststream.response import PublishCommand

from app.building_blocks.brokers.memory.message import Envelope
from app.building_blocks.brokers.memory.subscriber import (
    MemoryBrokerConfig,
    MemorySpecification,
    MemorySpecificationConfig,
    MemorySubscriber,
    MemorySubscriberConfig,
)

Middlewares = Sequence[BrokerMiddleware[Envelope, PublishCommand]]


class MemoryRegistrator(Registrator[Envelope, MemoryBrokerConfig]):
    # The base method takes a subscriber that is built; every broker of FastStream overrides it so.
    def subscriber(  # type: ignore[override]
        self,
        topic: str,
        *,
        group: str = "default",
        ack_policy: AckPolicy = AckPolicy.NACK_ON_ERROR,
        decoder: CustomCallable | None = None,
        title: str | None = None,
        description: str | None = None,
        prefetch: int | None = None,
    ) -> MemorySubscriber:
        """Bind a handler to `topic`; each group gets each message once, `prefetch` side by side.

        A failing handler makes `publish` raise. Other policies may hide the failure from it.
        """
        config: Any = self.config  # a composition that answers for the whole chain of routers
        calls = CallsCollection[Envelope]()
        specification = MemorySpecification(
            config,
            MemorySpecificationConfig(topic=topic, title_=title, description_=description),
            calls,
        )
        subscriber = MemorySubscriber(
            MemorySubscriberConfig(
                _outer_config=config,
                _ack_policy=ack_policy,
                no_reply=True,
                topic=topic,
                group=group,
                prefetch=prefetch,
            ),
            specification,
            calls,
        )
        super().subscriber(subscriber)
        return subscriber.add_call(parser_=None, decoder_=decoder, dependencies_=())

    def publisher(self, *args: object, **kwargs: object) -> NoReturn:
        raise FeatureNotSupportedException("MemoryBroker has no publishers: use publish().")


class MemoryRouter(MemoryRegistrator, BrokerRouter[Envelope, MemoryBrokerConfig]):
    def __init__(self, prefix: str = "", *, middlewares: Middlewares = ()) -> None:
        config = MemoryBrokerConfig(prefix=prefix, broker_middlewares=middlewares)
        super().__init__(config=config, handlers=(), routers=())
