"""Sends a row to the broker, measured and traced."""

from prometheus_client import Histogram

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage
from app.building_blocks.metrics import Metrics, observe_lag
from app.building_blocks.outbox.claims import ClaimedRow
from app.building_blocks.tracing import OFF, Tracing, trace_headers


class Sender:
    """Each send is a span of the row's trace; the message carries that span's context."""

    def __init__(self, broker: BrokerAdapter, metrics: Metrics, tracing: Tracing = OFF) -> None:
        self._broker, self._metrics, self._tracing = broker, metrics, tracing
        # To look them up at each message shows.
        self._observed: dict[str, tuple[Histogram, Histogram]] = {}

    async def send(self, row: ClaimedRow) -> None:
        """Return once the broker has confirmed `row`. Raises what the adapter raises."""
        seconds, lag = self._observed.get(row.topic) or self._observe(row.topic)
        with self._tracing.send(row.topic, row.message_id, row.headers), seconds.time():
            await self._broker.publish(_message(row))
        observe_lag(lag, row.headers)

    def _observe(self, topic: str) -> tuple[Histogram, Histogram]:
        metrics = self._metrics
        found = metrics.publishing_seconds.labels(topic), metrics.publish_lag.labels(topic)
        self._observed[topic] = found
        return found


def _message(row: ClaimedRow) -> BrokerMessage:
    attributes = {"ce-id": row.message_id, "ce-type": row.topic, "ce-specversion": "1.0"}
    if row.key is not None:
        attributes["ce-subject"] = row.key
    headers = attributes | row.headers | trace_headers()
    return BrokerMessage(row.topic, row.payload.encode(), headers, row.key)
