"""Sends rows to the broker, measured and traced."""

import time
from collections.abc import Sequence

from prometheus_client import Histogram

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage, BrokerUnavailableError
from app.building_blocks.brokers.together import Outcomes
from app.building_blocks.metrics import Metrics, observe_lag
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.tracing import OFF, Tracing


class Sender:
    """Each send is a span of the row's trace; the message carries that span's context."""

    def __init__(self, broker: BrokerAdapter, metrics: Metrics, tracing: Tracing = OFF) -> None:
        self._broker, self._metrics, self._tracing = broker, metrics, tracing
        # To look them up at each message shows.
        self._observed: dict[str, tuple[Histogram, Histogram]] = {}

    async def send(self, rows: Sequence[ClaimedRow]) -> Outcomes:
        """Return once the fate of each of `rows` is known: what `publish` would have raised.

        Raises what nobody thought of, in one of them or in all.
        """
        started = time.perf_counter()
        sends = [self._tracing.send(row.topic, row.message_id, row.headers) for row in rows]
        try:
            messages = [_message(row, send.headers) for row, send in zip(rows, sends, strict=True)]
            errors = await self._publish(messages)
        except BaseException as unexpected:
            for send in sends:
                send.end(unexpected)
            raise
        took = time.perf_counter() - started
        for row, send, error in zip(rows, sends, errors, strict=True):
            send.end(error)
            seconds, lag = self._observed.get(row.topic) or self._observe(row.topic)
            seconds.observe(took)
            if error is None:
                observe_lag(lag, row.headers)
        return errors

    async def _publish(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        try:
            return await self._broker.publish_all(messages)
        except BrokerUnavailableError as error:
            return [error] * len(messages)

    def _observe(self, topic: str) -> tuple[Histogram, Histogram]:
        metrics = self._metrics
        found = metrics.publishing_seconds.labels(topic), metrics.publish_lag.labels(topic)
        self._observed[topic] = found
        return found


def _message(row: ClaimedRow, trace: dict[str, str]) -> BrokerMessage:
    attributes = {"ce-id": row.message_id, "ce-type": row.topic, "ce-specversion": "1.0"}
    if row.key is not None:
        attributes["ce-subject"] = row.key
    return BrokerMessage(row.topic, row.payload.encode(), attributes | row.headers | trace, row.key)
