"""What the machinery counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The counters of one app, in a registry of their own so that two apps never mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.published = Counter(
            "events_published", "Confirmed by the broker", ["topic"], registry=self.registry
        )
        self.refused = Counter(
            "events_refused", "Refused by the broker", ["topic"], registry=self.registry
        )
        self.publish_pauses = Counter(
            "publisher_pauses", "Times the broker was away", registry=self.registry
        )
        self.handled = Counter(
            "messages_handled", "Handled for the first time", ["consumer"], registry=self.registry
        )
        self.duplicates = Counter(
            "messages_duplicate", "Known already", ["consumer"], registry=self.registry
        )
        self.failed = Counter(
            "messages_failed", "Runs of a handler that failed", ["consumer"], registry=self.registry
        )
        self.dead = Counter(
            "messages_dead", "Given up as dead letters", ["consumer"], registry=self.registry
        )
        self.handling_seconds = Histogram(
            "message_handling_seconds", "One run of a handler", ["consumer"], registry=self.registry
        )
        self.backlog = Gauge(
            "backlog_rows", "Rows by table and state", ["table", "state"], registry=self.registry
        )
