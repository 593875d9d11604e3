"""Writes down what became of the rows that were sent."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import structlog

from app.building_blocks.metrics import Metrics
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims, Refusal
from app.building_blocks.outbox.lane import Lane
from app.building_blocks.retry_policy import RetryPolicy

log = structlog.get_logger(__name__)


class Marks:
    """A refused row is tried again by `refusals`, and set aside after the last time."""

    def __init__(self, claims: Claims, metrics: Metrics, refusals: RetryPolicy) -> None:
        self._claims, self._metrics, self._refusals = claims, metrics, refusals

    async def write(self, lanes: Sequence[Lane]) -> bool:
        """One statement for all that was confirmed. True if the broker said anything at all."""
        confirmed = list(chain.from_iterable(lane.confirmed for lane in lanes))
        waiting = list(chain.from_iterable(lane.waiting for lane in lanes))
        if confirmed:
            await self._claims.mark_published(confirmed)
        if refusals := [self._refusal(*lane.refused) for lane in lanes if lane.refused]:
            await self._claims.mark_refused(refusals)
        if waiting:
            await self._claims.release(waiting)
        for topic, count in Counter(row.topic for row in confirmed).items():
            self._metrics.published.labels(topic).inc(count)
        return bool(confirmed or refusals)

    def _refusal(self, row: ClaimedRow, reason: str) -> Refusal:
        retry_in = self._refusals.delay_after(row.attempts + 1)
        self._metrics.refused.labels(row.topic).inc()
        if retry_in is None:
            self._metrics.set_aside.labels(row.topic).inc()
        log.warning(
            "message refused by the broker",
            message_id=row.message_id, topic=row.topic, reason=reason, retry_in=retry_in,
        )  # fmt: skip
        return Refusal(row, reason, retry_in)
