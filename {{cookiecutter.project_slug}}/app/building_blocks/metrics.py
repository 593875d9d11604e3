"""What the machinery counts and measures, for Prometheus."""

from collections.abc import Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BY_TOPIC = ("topic",)
_BY_CONSUMER = ("topic", "consumer")
_BY_STATE = ("table", "state")

_RUN_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_LAG = (
    "Counted from ce-time, a moment before the commit, with the delay that was asked for; "
    "compares the clocks of two machines when several are used"
)


class Metrics:
    """The metrics of one app, in a registry of their own so that two apps never mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.published = self._counter("events_published", "Confirmed by the broker", _BY_TOPIC)
        self.refused = self._counter(
            "events_refused", "Sends that the broker refused, tried again or not", _BY_TOPIC
        )
        self.set_aside = self._counter(
            "events_dead", "Set aside after the last refusal, until somebody acts", _BY_TOPIC
        )
        self.publishing_seconds = self._histogram(
            "event_publishing_seconds", "One send, to the broker's answer", _BY_TOPIC, _RUN_SECONDS
        )
        self.publish_lag = self._histogram(
            "event_publish_lag_seconds", f"Commit to confirm. {_LAG}", _BY_TOPIC, _LAG_SECONDS
        )
        self.publish_pauses = self._counter("publisher_pauses", "Times the broker was away")
        self.publisher_state = Gauge(
            "publisher_state",
            "1: the publisher of this process publishes; 0: it pauses, or is not enabled here",
            registry=self.registry,
        )

        self.handled = self._counter("messages_handled", "Handled for the first time", _BY_CONSUMER)
        self.duplicates = self._counter("messages_duplicate", "Known already", _BY_CONSUMER)
        self.failed = self._counter(
            "messages_failed", "Runs of a handler that failed", _BY_CONSUMER
        )
        self.retried = self._counter(
            "messages_retried", "Runs of a handler after one that failed", _BY_CONSUMER
        )
        self.dead = self._counter("messages_dead", "Given up as dead letters", _BY_CONSUMER)
        self.handling_seconds = self._histogram(
            "message_handling_seconds", "One run of a handler", _BY_CONSUMER, _RUN_SECONDS
        )
        self.handle_lag = self._histogram(
            "message_handle_lag_seconds",
            f"Commit to handled, with every retry. {_LAG}",
            _BY_CONSUMER,
            _LAG_SECONDS,
        )

        self.backlog = Gauge(
            "backlog_rows",
            "Rows by table and state, counted up to 10,000: that number means as many or more",
            _BY_STATE,
            registry=self.registry,
        )
        self.backlog_oldest = Gauge(
            "backlog_oldest_seconds",
            "Age of the row that comes first in line, by the database's clock; 0 without one",
            _BY_STATE,
            registry=self.registry,
        )
        self.database_up = Gauge(
            "database_up",
            "1: this scrape could read the backlog; 0: it could not, and there is none below",
            registry=self.registry,
        )

    def expect_topic(self, topic: str) -> None:
        """Begin at 0, because Prometheus sees no increase in a number that was not there."""
        for metric in (self.published, self.refused, self.set_aside):
            metric.labels(topic)

    def expect_consumer(self, topic: str, consumer: str) -> None:
        """Begin at 0, as `expect_topic` does."""
        for metric in (self.handled, self.duplicates, self.failed, self.retried, self.dead):
            metric.labels(topic, consumer)

    def totals(self) -> dict[str, int]:
        """What this process has done since it began, over all topics and consumers."""
        counters = {
            "published": self.published,
            "handled": self.handled,
            "failed": self.failed,
            "dead": self.dead,
        }
        return {name: _total(counter) for name, counter in counters.items()}

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, what, labels, buckets=buckets, registry=self.registry)


def observe_lag(lag: Histogram, headers: Mapping[str, str]) -> None:
    """Observe the seconds since the `ce-time` of `headers`, never less than 0.

    A message of another program may have none, or one that is no time: it is left out.
    """
    try:
        written = datetime.fromisoformat(headers.get("ce-time", ""))
    except ValueError:
        return
    if written.tzinfo is not None:
        lag.observe(max(0.0, (datetime.now(UTC) - written).total_seconds()))


def _total(counter: Counter) -> int:
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return round(sum(sample.value for sample in samples if sample.name.endswith("_total")))
