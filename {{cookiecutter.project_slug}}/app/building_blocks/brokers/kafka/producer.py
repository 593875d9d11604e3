"""Publishing on Kafka: one idempotent producer, and another when that one is of no more use."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaProducer, errors  # type: ignore[import-untyped]
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped]

from app.building_blocks.brokers.adapter import BrokerUnavailableError, MessageRefusedError
from app.building_blocks.brokers.kafka.connection import KafkaAddress
from app.building_blocks.brokers.kafka.wire import OutgoingRecord

# The server has a limit of its own (message.max.bytes), and it is the one to decide.
MAX_REQUEST_BYTES = 128 * 1024 * 1024
# Enough for a hundred small messages, which else wait for each other.
BATCH_BYTES = 64 * 1024
TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
GOODBYE_TIMEOUT = 5.0
REFUSALS = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidTopicError,
    errors.TopicAuthorizationFailedError,
    errors.InvalidTimestampError,
    errors.PolicyViolationError,
)


class KafkaProducer:
    """Sends with acks=all. Opens a connection when it is first needed, between open and close.

    `request_timeout` bounds the answer to one request, in seconds.
    """

    def __init__(self, address: KafkaAddress, request_timeout: float) -> None:
        self._address, self._request_timeout = address, request_timeout
        self._is_open, self._connecting = False, asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._alone = asyncio.Lock()

    def open(self) -> None:
        self._is_open = True

    async def close(self) -> None:
        """Send what is held back, if that goes out in time, and disconnect."""
        self._is_open = False
        async with self._connecting:
            if self._producer:
                self._retire(self._producer)
        await asyncio.gather(*self._retiring)

    async def ask(self) -> None:
        """Return when a server has answered. Raises KafkaError and BrokerUnavailableError."""
        client = (await self._connected()).client
        # Unlike aiokafka's own updates of its metadata, this drops a connection that stays silent.
        await client.send(client.get_random_node(), MetadataRequest([]))

    async def send(self, record: OutgoingRecord) -> None:
        """Return once the servers have confirmed it. Raises MessageRefusedError, too."""
        try:
            await self._send(record)
        except MessageRefusedError as error:
            was_alone = len(record.value) > BATCH_BYTES
            if was_alone or not isinstance(error.__cause__, TOO_LARGE):
                raise
            # Perhaps only all that was sent at the same time is: aiokafka does not take it apart.
            async with self._alone:
                await self._send(record)

    async def _send(self, record: OutgoingRecord) -> None:
        try:
            await self._send_by_whoever_is_there(record)
        except errors.UnknownTopicOrPartitionError as error:
            await self.ask()
            raise MessageRefusedError(
                f"Kafka has no topic {record.topic}, and does not create it"
            ) from error

    async def _send_by_whoever_is_there(self, record: OutgoingRecord) -> None:
        for is_last_attempt in (False, True):
            producer = await self._connected()
            try:
                confirmation = await producer.send(
                    record.topic, record.value, record.key, headers=record.headers
                )
                await confirmation
            except errors.KafkaError as error:
                if error.retriable or isinstance(error, errors.KafkaTimeoutError):
                    raise
                # A record that a server did not take leaves a gap in the sequence of an idempotent
                # producer. aiokafka does not close it, and all that follows would be out of order.
                self._retire(producer)
                if isinstance(error, REFUSALS):
                    raise MessageRefusedError(f"Kafka refuses this message: {error!r}") from error
                if is_last_attempt:
                    raise
            else:
                return

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if not self._is_open:
                raise BrokerUnavailableError("Kafka is not connected: try again later")
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._address.settings(self._request_timeout),
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=MAX_REQUEST_BYTES,
                    max_batch_size=BATCH_BYTES,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _retire(self, producer: AIOKafkaProducer) -> None:
        """Let another take its place at the next call, while it finishes what it has."""
        if self._producer is producer:
            self._producer = None
            retiring = asyncio.create_task(_finish(producer))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)


async def _finish(producer: AIOKafkaProducer) -> None:
    with suppress(Exception):
        async with asyncio.timeout(GOODBYE_TIMEOUT):
            await producer.flush()
            await producer.stop()
            return
    # Its own way out waits until all is sent, for ever if need be.
    producer._closed = True
    sending = producer._sender.sender_task
    sending.cancel()
    await asyncio.wait({sending}, timeout=GOODBYE_TIMEOUT)
    await producer.client.close()
