"""What the machinery asks of a broker, whichever one it is."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol


class BrokerMessage(NamedTuple):
    """One message on the wire: CloudEvents 1.0 in binary mode.

    `headers` holds the attributes under their plain names (`ce-id`, `ce-type`, ...,
    `content-type`, `traceparent`); an adapter renames them as its broker's binding says.
    """

    topic: str
    body: bytes
    headers: dict[str, str]
    key: str | None = None


Receive = Callable[[BrokerMessage], Awaitable[None]]
"""Handles one delivery. Returning acknowledges it; raising gives it back to the broker."""


class Subscription(NamedTuple):
    """What a consumer is to receive. `consumer` is its durable name, service and handler.

    `at_once` is how many deliveries it can make use of side by side, None the adapter's choice.
    """

    topic: str
    consumer: str
    receive: Receive
    ordered: bool = False
    at_once: int | None = None


class BrokerUnavailableError(Exception):
    """The broker could not be reached, or did not confirm in time: try again later."""


class MessageRefusedError(Exception):
    """The broker is there and will not take this one message."""


class Binding(NamedTuple):
    """How others speak of it: AsyncAPI's word for the protocol, how its binding of CloudEvents
    begins the name of an attribute, and its name in OpenTelemetry's conventions."""

    protocol: str
    attribute_prefix: str
    system: str


class BrokerAdapter(Protocol):
    """Publishes with the broker's own confirmation and delivers at least once."""

    @property
    def binding(self) -> Binding: ...

    @property
    def publish_at_once(self) -> int:
        """How many messages may as well wait for each other's confirmation."""

    def declare(self, topic: str) -> None:
        """Say before `start` that this service publishes on `topic`."""

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        """Bind `receive` to `topic` under the durable name `consumer`, before `start`.

        With `ordered` one replica at a time gets the consumer's messages, in their order.
        `at_once` is how many deliveries are to run side by side, None the adapter's choice.
        """

    async def start(self) -> None:
        """Connect and begin to consume. Raises BrokerUnavailableError; may be called again."""

    async def stop(self) -> None:
        """Stop consuming, let running deliveries finish, disconnect."""

    async def publish(self, message: BrokerMessage) -> None:
        """Return once the broker has confirmed `message`.

        Raises BrokerUnavailableError when nothing is known of its fate, and
        MessageRefusedError when the broker refuses it.
        """

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Sequence[Exception | None]:
        """Publish them side by side, in no order; return once the fate of each is known.

        Gives for each what `publish` would raise, or None when the broker has confirmed it. What
        it raises itself holds for all of them.
        """

    async def is_connected(self) -> bool:
        """Whether a publish could go out now."""
