"""Sends a row to the broker, measured and traced."""

from app.building_blocks.brokers.adapter import BrokerAdapter, BrokerMessage
from app.building_blocks.metrics import Metrics, observe_lag
from app.building_blocks.outbox.claims import ClaimedRow
from app.building_blocks.tracing import OFF, Tracing, trace_headers


class Sender:
    """Each send is a span of the row's trace; the message carries that span's context."""

    def __init__(self, broker: BrokerAdapter, metrics: Metrics, tracing: Tracing = OFF) -> None:
        self._broker, self._metrics, self._tracing = broker, metrics, tracing

    async def send(self, row: ClaimedRow) -> None:
        """Return once the broker has confirmed `row`. Raises what the adapter raises."""
        with (
            self._tracing.send(row.topic, row.message_id, row.headers),
            self._metrics.publishing_seconds.labels(row.topic).time(),
        ):
            await self._broker.publish(_message(row))
        observe_lag(self._metrics.publish_lag, row.headers, row.topic)


def _message(row: ClaimedRow) -> BrokerMessage:
    attributes = {"ce-id": row.message_id, "ce-type": row.topic, "ce-specversion": "1.0"}
    if row.key is not None:
        attributes["ce-subject"] = row.key
    headers = attributes | row.headers | trace_headers()
    return BrokerMessage(row.topic, row.payload.encode(), headers, row.key)
