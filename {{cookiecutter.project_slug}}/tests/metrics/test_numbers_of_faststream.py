"""FastStream counts deliveries; sends it counts on the in-memory broker only."""

from tests.metrics.test_dashboard import DASHBOARD


def test_nothing_is_watched_that_only_one_broker_counts() -> None:
    watched = [DASHBOARD, DASHBOARD.with_name("alerts.yaml")]
    for file in watched:
        text = file.read_text("utf-8")
        assert "events_published_total" in text or "messages_failed_total" in text
        assert "faststream_published" not in text
