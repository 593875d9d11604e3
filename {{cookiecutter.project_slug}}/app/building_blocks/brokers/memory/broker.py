"""A FastStream broker inside the process: for first runs and for tests.

It stores nothing. `publish` returns once every group that listens to the topic has
acknowledged, so the publisher keeps the message until then. Hence a handler had better not
publish to a topic that it handles itself: with `prefetch` of them at it, they wait for ever.

Built on the base classes of FastStream's own brokers. They live in `faststream._internal`
and may change with any minor version: `faststream<0.8` holds them still.
"""

import logging
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NoReturn

from faststream._internal.basic_types import SendableMessage
from faststream._internal.broker import BrokerUsecase
from faststream._internal.logger import LoggerState
from faststream._internal.logger.params_storage import ManualLoggerStorage
from faststream.exceptions import FeatureNotSupportedException
from faststream.response import PublishCommand, PublishType
from faststream.specification.schema import BrokerSpec

from app.building_blocks.brokers.memory.message import Envelope, MemoryProducer
from app.building_blocks.brokers.memory.router import MemoryRegistrator, MemoryRouter, Middlewares
from app.building_blocks.brokers.memory.subscriber import MemoryBrokerConfig


class MemoryBroker(MemoryRegistrator, BrokerUsecase[Envelope, MemoryProducer, MemoryBrokerConfig]):
    """`prefetch` bounds the concurrent deliveries of a group; `graceful_timeout` is in seconds."""

    def __init__(
        self,
        url: str = "memory://",
        *,
        prefetch: int = 16,
        graceful_timeout: float = 15.0,
        middlewares: Middlewares = (),
        routers: Iterable[MemoryRouter] = (),
        description: str | None = None,
    ) -> None:
        super().__init__(
            routers=routers,
            config=MemoryBrokerConfig(
                prefetch=prefetch,
                graceful_timeout=graceful_timeout,
                broker_middlewares=middlewares,
                # Each message is worth DEBUG; FastStream logs failing handlers at ERROR.
                logger=LoggerState(
                    logging.DEBUG, ManualLoggerStorage(logging.getLogger("app.broker"))
                ),
                extra_context={"broker": self},
            ),
            specification=BrokerSpec([url], "memory", None, description, (), None),
        )

    async def _connect(self) -> MemoryProducer:
        self.config.broker_config.producer.serializer = self.config.fd_config._serializer
        return self.config.broker_config.producer

    async def start(self) -> None:
        """Begin to deliver. Raises SetupError when a group is used twice on one topic."""
        if self.running:
            return
        producer = await self.connect()
        try:
            await super().start()
        except BaseException:
            await self.stop()
            raise
        producer.is_open = True

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Refuse new messages, then let the running deliveries finish in the graceful time."""
        self.config.broker_config.producer.is_open = False
        await super().stop(exc_type, exc_val, exc_tb)

    async def ping(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - their name
        return self.config.broker_config.producer.is_open

    async def publish(
        self,
        message: SendableMessage,
        topic: str,
        *,
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Return once every group has acknowledged; at once when nobody listens to `topic`.

        Raises BrokerUnavailableError when one did not, or when the broker is not running.
        """
        command = PublishCommand(
            message,
            destination=topic,
            headers=dict(headers or {}),
            correlation_id=correlation_id or self.config.id_generator(),
            _publish_type=PublishType.PUBLISH,
        )
        await self._basic_publish(command, producer=self._producer)

    async def request(self, *args: object, **kwargs: object) -> NoReturn:
        raise FeatureNotSupportedException("MemoryBroker has no replies: use publish().")
