"""A service in trouble beside one that is well: what Prometheus has read, and which alerts fire."""

# A job whose only replica goes wrong in every way at the same time, beside one that is well.
WRONG, WELL = 'job="wrong", instance="a"', 'job="well", instance="b"'
SERIES = {
    f"up{{{WRONG}}}": "1+0x20 0+0x20",
    f"up{{{WELL}}}": "1+0x40",
    f"publisher_state{{{WRONG}}}": "1+0x2 0+0x17 stale",
    f"publisher_state{{{WELL}}}": "1+0x40",
    # One publishes where nobody scrapes, so that nothing waits.
    'publisher_state{job="apart", instance="d"}': "0+0x40",
    'backlog_oldest_seconds{job="apart", table="outbox", state="waiting"}': "2+0x40",
    'up{job="apart", instance="d"}': "1+0x40",
    # A replica that leaves publishing to others.
    'publisher_state{job="well", instance="c"}': "0+0x40",
    f"database_up{{{WRONG}}}": "0+0x19 stale",
    f"database_up{{{WELL}}}": "1+0x40",
    f'backlog_oldest_seconds{{{WRONG}, table="outbox", state="waiting"}}': "400+60x19 stale",
    f'backlog_oldest_seconds{{{WELL}, table="outbox", state="waiting"}}': "2+0x40",
    f'backlog_oldest_seconds{{{WRONG}, table="inbox", state="retrying"}}': "4000+60x19 stale",
    f'backlog_oldest_seconds{{{WELL}, table="inbox", state="retrying"}}': "900+0x40",
    f'backlog_rows{{{WRONG}, table="inbox", state="dead"}}': "0 3+0x18 stale",
    f'backlog_rows{{{WELL}, table="inbox", state="dead"}}': "0+0x40",
    f'messages_failed_total{{{WRONG}, topic="t", consumer="c"}}': "0+60x19 stale",
    f'messages_handled_total{{{WRONG}, topic="t", consumer="c"}}': "0+20x19 stale",
    f'messages_failed_total{{{WELL}, topic="t", consumer="c"}}': "0+1x40",
    f'messages_handled_total{{{WELL}, topic="t", consumer="c"}}': "0+20x40",
}
FIRING = {
    "PublisherStopped": {"job": "wrong"},
    "DatabaseAway": {"job": "wrong"},
    "OutboxFallsBehind": {"job": "wrong"},
    "RetriesFallBehind": {"job": "wrong"},
    "DeadLetters": {"job": "wrong", "table": "inbox"},
    "HandlerFails": {"job": "wrong", "consumer": "c"},
}
