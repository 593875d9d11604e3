"""What a consumer tells Kafka about how far it has come."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from aiokafka import TopicPartition  # type: ignore[import-untyped]

log = logging.getLogger("app.broker")

Commit = Callable[[dict[TopicPartition, int]], Awaitable[None]]


class Progress:
    """How far the deliveries of one partition have come.

    Kafka keeps one offset for each partition of a group, and all before it counts as handled.
    So the offset to commit is that of the first record which is not.
    """

    def __init__(self) -> None:
        # In the order of their offsets, since Kafka hands them over so.
        self._unfinished: dict[int, None] = {}
        self._next = self.committed = -1

    @property
    def position(self) -> int:
        """The offset to commit; -1 while nothing was delivered."""
        return next(iter(self._unfinished), self._next)

    def begin(self, offset: int) -> None:
        if self._next < 0:
            # Kafka begins where the group has come to.
            self.committed = offset
        self._unfinished[offset] = None
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        del self._unfinished[offset]


class Offsets:
    """Commits the positions of the partitions that this replica has at present.

    What is finished after its partition was given away counts no more: the next owner begins at
    the offset that was committed before. `timeout` is what a farewell may take, in seconds.
    """

    def __init__(self, commit: Commit, timeout: float) -> None:
        self._commit, self._timeout = commit, timeout
        self._partitions: dict[TopicPartition, Progress] = {}
        self._changed, self._settled = asyncio.Event(), asyncio.Event()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin anew with these partitions, perhaps none."""
        self._partitions = {partition: Progress() for partition in partitions}

    def of(self, partition: TopicPartition) -> Progress:
        """Raises KeyError for a partition that is not assigned."""
        return self._partitions[partition]

    def changed(self) -> None:
        """Something is finished: commit it soon."""
        self._changed.set()

    async def settle(self) -> None:
        """Wait until all that is finished is committed, or the timeout is over."""
        if self._behind():
            self._settled.clear()
            self._changed.set()
            # A commit itself must not be cancelled: aiokafka would leave a task behind.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), self._timeout)

    async def keep_committing(self) -> None:
        """Commit whatever was finished meanwhile, one request after the other."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._commit_all()
            except Exception as error:
                # Others have the partitions now, and deliver again. Or the next commit succeeds.
                log.debug("Offsets are not committed: %r", error)
            if not self._changed.is_set():
                self._settled.set()

    async def _commit_all(self) -> None:
        behind = self._behind()
        if behind:
            positions = {partition: progress.position for partition, progress in behind.items()}
            await self._commit(positions)
            for partition, progress in behind.items():
                progress.committed = positions[partition]

    def _behind(self) -> dict[TopicPartition, Progress]:
        return {
            partition: progress
            for partition, progress in self._partitions.items()
            if progress.position != progress.committed
        }
