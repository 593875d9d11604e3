"""The retrier: brings back failed messages when their time has come."""

import asyncio
from collections.abc import Sequence

import structlog

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)


class Retrier:
    """Looks for due retries every `poll_interval` seconds and hands each to its consumer.

    Any number of replicas may run one: a row goes to whoever locks it.
    """

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        consumers: Sequence[Consumer],
        wake_up: WakeUp,
        *,
        poll_interval: float = 1.0,
        batch_size: int = 20,
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._wake_up = wake_up
        self._poll_interval = poll_interval
        self._batch_size = batch_size

    async def run(self) -> None:
        """Retry until told to stop. A handler that is cut off costs no attempt."""
        while not self._wake_up.closed:
            async with self._database.reader.connect() as connection:
                due = await self._inbox.due(connection, list(self._consumers), self._batch_size)
            await asyncio.gather(*(self._retry(*row) for row in due))
            if len(due) < self._batch_size:
                await self._wake_up.sleep(self._poll_interval)

    async def _retry(self, message_id: str, consumer: str) -> None:
        try:
            await self._consumers[consumer].retry(message_id)
        except Exception as error:
            # Nothing was recorded, so the message is still due: the others go on.
            log.warning(
                "retry cut off", message_id=message_id, consumer=consumer, error=repr(error)
            )
