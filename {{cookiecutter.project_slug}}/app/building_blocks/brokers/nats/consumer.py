"""A consumer on NATS, over however many connections: finds its stream, pulls, settles."""

import asyncio
import logging
import re
from contextlib import suppress

from faststream import AckPolicy
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.subscriber.usecases import LogicSubscriber
from nats.aio.msg import Msg
from nats.errors import Error

from app.building_blocks.brokers.adapter import Receive
from app.building_blocks.brokers.deliveries import Deliveries
from app.building_blocks.brokers.nats.jetstream import JetStream
from app.building_blocks.brokers.nats.pull import Pull, Running
from app.building_blocks.brokers.nats.wire import decode, require_subject

log = logging.getLogger("app.broker")

SIDE_BY_SIDE = 20
LOOK_AGAIN = 2.0
ACK, GIVE_BACK, IN_PROGRESS = b"+ACK", b"-NAK", b"+WPI"


class NatsConsumer:
    """`problem` says why nothing can be consumed. Raises ValueError for an impossible name.

    A delivery without a sign of life for `ack_wait` seconds goes to another replica.
    """

    def __init__(
        self,
        broker: NatsBroker,
        topic: str,
        name: str,
        receive: Receive,
        deliveries: Deliveries,
        *,
        ordered: bool,
        at_once: int = SIDE_BY_SIDE,
        ack_wait: float,
    ) -> None:
        self.durable = name.replace(".", "--")
        if not re.fullmatch("[A-Za-z0-9_-]+", self.durable):
            raise ValueError(f"NATS has no consumers with a name like {name!r}")
        self.running = Running(1 if ordered else at_once)
        self.problem: str | None = None
        self._topic, self._ordered, self._ack_wait = require_subject(topic), ordered, ack_wait
        self._jetstream: JetStream | None = None
        self._is_waiting = False
        # MANUAL, because the others settle each delivery, also one that a stop interrupts.
        self._subscriber: LogicSubscriber[Msg] = broker.subscriber(
            topic, ack_policy=AckPolicy.MANUAL, decoder=_undecoded, no_reply=True
        )

        @self._subscriber
        async def deliver(message: NatsMessage) -> None:
            raw = message.raw_message
            is_done = await deliveries.run(name, receive, decode(topic, raw))
            await self._answer(raw.reply, ACK if is_done else GIVE_BACK)

    async def bind(self, jetstream: JetStream) -> str | None:
        """The stream of the topic, with the durable consumer in it; None while there is none.

        Raises nats.errors.Error. From now on deliveries are settled over this connection.
        """
        self._jetstream = jetstream
        stream = await jetstream.stream_of(self._topic)
        if stream is not None:
            await jetstream.bind(
                stream, self.durable, self._topic, ordered=self._ordered, ack_wait=self._ack_wait
            )
        elif not self._is_waiting:
            log.warning("%s waits: nobody has declared %s on NATS", self.durable, self._topic)
        self._is_waiting, self.problem = stream is None, None
        return stream

    async def run(self, jetstream: JetStream, stream: str | None) -> None:
        """Pull while there is a connection; when stream or consumer are gone, look again."""
        while not jetstream.client.is_closed:
            if stream is not None:
                outcome = await self._pull(jetstream, stream)
                log.warning("%s gets nothing more from NATS: %s", self.durable, outcome)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    await jetstream.topic_added.wait()
            try:
                stream = await self.bind(jetstream)
            except (Error, TimeoutError) as error:
                if self.problem is None:
                    log.warning("%s cannot consume from NATS: %s", self.durable, error)
                stream, self.problem = None, str(error)

    async def say_what_goes_on(self) -> None:
        """Tell the server that the deliveries which still run do run."""
        for reply in list(self.running.replies.values()):
            await self._answer(reply, IN_PROGRESS)

    async def _pull(self, jetstream: JetStream, stream: str) -> str:
        patience = self._ack_wait / 2
        pull = Pull(jetstream.client, self.running, self._subscriber.consume, patience)
        # With a subscription given to it FastStream starts no loop of its own.
        self._subscriber.subscription = pull
        await self._subscriber.start()
        return await pull.run(stream, self.durable)

    async def _answer(self, reply: str, answer: bytes) -> None:
        """What cannot be said, because the connection is gone, the server finds out in time."""
        if self._jetstream is not None:
            with suppress(Error):
                await self._jetstream.client.publish(reply, answer)


async def _undecoded(message: NatsMessage) -> NatsMessage:
    return message
