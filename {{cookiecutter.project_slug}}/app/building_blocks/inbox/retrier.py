"""The retrier: brings back failed messages when their time has come."""

import asyncio
from collections.abc import Sequence

import structlog

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.consumer import Consumer
from app.building_blocks.inbox.environments import Environments
from app.building_blocks.inbox.inbox import Inbox
from app.building_blocks.wake_up import WakeUp

log = structlog.get_logger(__name__)


class Retrier:
    """Looks for due retries every `poll_interval` seconds and hands each to its consumer.

    Any number of replicas may run one: a row goes to whoever locks it. Up to `limit` handlers
    run at a time, and a slow one holds up no other.
    """

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        consumers: Sequence[Consumer],
        wake_up: WakeUp,
        environments: Environments | None = None,
        *,
        poll_interval: float = 1.0,
        limit: int = 20,
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._ordered = [consumer.name for consumer in consumers if consumer.ordered]
        self._wake_up = wake_up
        self._environments = environments or Environments()
        self._poll_interval = poll_interval
        self._limit = limit
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Retry until told to stop, then let running handlers finish.

        A handler that is cut off costs no attempt.
        """
        try:
            while not self._wake_up.closed:
                await self._look()
                await self._wake_up.sleep(self._poll_interval)
            if self._running:
                await asyncio.wait(self._running.values())
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _look(self) -> None:
        try:
            await self._start_due()
        except Exception as error:
            if not self._database.is_away(error):
                raise
            # Handlers that run may still finish.
            log.warning("database is away", reason=str(error))

    async def _start_due(self) -> None:
        room = self._limit - len(self._running)
        if room <= 0 or not self._consumers:
            return
        async with self._database.reader.connect() as connection:
            # Those that run are still due in the eyes of others.
            search = self._limit + room
            mine = self._environments.mine()
            names = list(self._consumers)
            due = await self._inbox.due(connection, names, self._ordered, search, mine)
        waiting = [(row.message_id, row.consumer) for row in due]
        for message in [one for one in waiting if one not in self._running][:room]:
            task = asyncio.create_task(self._retry(*message))
            self._running[message] = task

    async def _retry(self, message_id: str, consumer: str) -> None:
        try:
            if await self._consumers[consumer].retry(message_id):
                # There is room again, and a later message of its key may have waited.
                self._wake_up.set()
        except Exception as error:
            # Nothing was recorded, so the message is still due.
            log.warning(
                "retry cut off", message_id=message_id, consumer=consumer, error=repr(error)
            )
        finally:
            del self._running[message_id, consumer]
