"""What a service that has run for a day has in its tables, and what strangers wrote there."""

import json
import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

CREATED = "orders.order-created.v1"
CONSUMER = "my-service.payments.when_order_created"
XSS = "<script>document.title='stolen'</script><img src=x onerror=alert(1)>\"'"


def fill(path: Path) -> None:
    """Put it into the SQLite file of a service that is migrated."""
    chance, now = random.Random(7), datetime.now(UTC)

    def at(**ago: float) -> str:
        return (now - timedelta(**ago)).strftime("%Y-%m-%d %H:%M:%S.%f")

    with closing(sqlite3.connect(path)) as database, database:
        for number in range(26):
            who = XSS if number == 0 else f"customer {number}"
            payload = f'{{"order_id": "{number}", "customer": "{who}", "amount": "12.50"}}'
            if number == 0:
                payload = who
            why = f"TimeoutError: no answer from the bank within 10 s {XSS if number == 0 else ''}"
            headers = json.dumps({"ce-type": CREATED, "correlation-id": f"chain-{number}"})
            database.execute(
                "INSERT INTO inbox (message_id, consumer, topic, key, correlation_id, headers,"
                " payload, state, attempts, received_at, handled_at, last_error)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'dead', 11, ?, ?, ?)",
                (
                    f"01a21334-4ace-74c0-b4b2-13ff2c28{number:04}", CONSUMER, CREATED,
                    f"key-{number}", f"chain-{number}", headers, payload.encode(),
                    at(hours=number, minutes=90), at(hours=number), why,
                ),
            )  # fmt: skip
        for number in range(3):
            database.execute(
                "INSERT INTO inbox (message_id, consumer, topic, key, correlation_id, headers,"
                " payload, state, attempts, received_at, next_attempt_at, last_error)"
                " VALUES (?, ?, ?, ?, 'c', '{}', ?, 'retrying', 3, ?, ?, ?)",
                (
                    f"retrying-{number}", CONSUMER, CREATED, f"ada-{number}", b'{"a": 1}',
                    at(minutes=7), at(hours=-2), "ConnectionError: the bank is away",
                ),
            )  # fmt: skip
        for number in range(2):
            database.execute(
                "INSERT INTO outbox (message_id, topic, key, headers, payload, created_at, state,"
                " attempts, last_error) VALUES (?, ?, 'ada', '{}', '{}', ?, 'dead', 11, ?)",
                (f"refused-{number}", CREATED, at(hours=3), "the broker refused it: too large"),
            )
        database.execute(
            "INSERT INTO outbox (message_id, topic, key, headers, payload, created_at,"
            " available_at, state, attempts) VALUES ('later', ?, 'bob', '{}', '{}', ?, ?,"
            " 'waiting', 0)",
            (CREATED, at(minutes=4), at(hours=-20)),
        )
        for number in range(70):
            database.execute(
                "INSERT INTO outbox_published (message_id, topic, key, headers, payload,"
                " created_at, attempts, published_at) VALUES (?, ?, ?, '{}', '{}', ?, 0, ?)",
                (f"old-{number}", CREATED, f"o-{number}", at(hours=5), at(hours=5)),
            )
        for number in range(1400):
            start = (now - timedelta(minutes=number)).replace(second=0, microsecond=0)
            many = round(60 + 40 * abs(((number / 60) % 24) - 12) / 12 + chance.gauss(0, 8))
            failed = chance.choice((0,) * 30 + (3,))
            failed += chance.randint(8, 20) if 300 < number < 340 else 0
            database.execute(
                "INSERT INTO replica_minutes (minute, replica, published, handled, failed, dead)"
                " VALUES (?, 'gone', ?, ?, ?, ?)",
                (
                    f"{start:%Y-%m-%d %H:%M}:00.000000",
                    many,
                    many - failed // 2,
                    failed,
                    failed // 9,
                ),
            )
        database.execute(
            "INSERT INTO replicas (replica, host, process, started_at, seen_at, parts)"
            " VALUES ('gone', 'orders-7d9f-xk2lp', 1, ?, ?, '{\"broker\": \"\"}')",
            (at(hours=20), at(minutes=12)),
        )
