"""A million rows in the outbox and a million in the inbox, written by the database itself."""

from app.building_blocks.databases.database import Database
from shares import spans
from sqlalchemy import text

# How each database makes the numbers from 1 to :rows, an id, a time and bytes of them.
SQL = {
    "sqlite": {
        "numbers": "WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s "
        "WHERE n < :last) SELECT {} FROM s",
        "id": "printf('%08x-0000-7000-8000-000000000000', n)",
        "ago": "strftime('%Y-%m-%d %H:%M:%f000', 'now', (-({})) || ' seconds')",
        "bytes": "CAST({} AS BLOB)",
        "join": "{} || {}",
    },
    "postgresql": {
        "numbers": "SELECT {} FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n",
        "id": "lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000'",
        "ago": "now() - make_interval(secs => {})",
        "bytes": "convert_to({}, 'UTF8')",
        "join": "{} || {}",
    },
    "mysql": {
        "numbers": "SELECT {} FROM (SELECT seq AS n FROM seq_1_to_10000000 "
        "WHERE seq BETWEEN :first AND :last) s",
        "id": "concat(lpad(lower(hex(n)), 8, '0'), '-0000-7000-8000-000000000000')",
        "ago": "utc_timestamp(6) - INTERVAL ({}) * 1000000 MICROSECOND",
        "bytes": "{}",
        "join": "concat({}, {})",
    },
}
PAYLOAD = (
    '\'{"order_id": "0198f3a2-6c1e-7d3b-9f70-3a5b1c2d4e6f", "note": "' + "lorem " * 40 + "\"}'"
)
HEADERS = (
    '\'{"ce-specversion": "1.0", "ce-type": "x", "ce-source": "/shop", "traceparent": '
    '"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}\''
)

# A service that runs beside the measurement is to leave the rows as they are.
NOT_RETRIED_FOR = 30 * 86400


async def fill(database: Database, case: str, rows: int) -> None:
    """`rows` in each box, the oldest a day ago, and a day of minutes of ten processes."""
    write = Writing(database, rows)
    for box, state, first, last in spans(case, rows):
        await write.messages(box, state, first, last)
    await write.minutes()
    async with database.reader.connect() as connection:
        analyze = {"mysql": "ANALYZE TABLE"}.get(database.writer.dialect.name, "ANALYZE")
        for table in ("outbox", "outbox_published", "inbox"):
            await connection.execute(text(f"{analyze} {table}"))


class Writing:
    """Inserts whose values the database makes of the numbers of the rows."""

    def __init__(self, database: Database, rows: int) -> None:
        self._database = database
        self._name = database.writer.dialect.name
        self._sql = SQL[self._name]
        # The higher the number, the later it was written.
        seconds = f"({rows} - n) * {86400 / rows}"
        self._when = self._ago(seconds)
        self._later = self._ago(f"{seconds} - {NOT_RETRIED_FOR}")

    async def messages(self, box: str, state: str, first: int, last: int) -> None:
        """Those with the numbers from `first` to `last`."""
        values = self._of_both_boxes()
        if box == "inbox":
            failed = state in ("retrying", "dead")
            is_over = state != "retrying"
            values |= {
                "consumer": self._joined("shop.payments.when-", "n % 4"),
                "state": f"'{state}'",
                "payload": self._sql["bytes"].format(PAYLOAD),
                "received_at": self._when,
                "handled_at": self._when if is_over else "NULL",
                "next_attempt_at": "NULL" if is_over else self._later,
                "last_error": "'ValueError: not today'" if failed else "NULL",
            }
            await self._insert("inbox", values, first, last)
        elif state == "published":
            values |= {"payload": PAYLOAD, "created_at": self._when, "published_at": self._when}
            await self._insert("outbox_published", values, first, last)
        else:
            values |= {"payload": PAYLOAD, "created_at": self._when, "state": f"'{state}'"}
            await self._insert("outbox", values, first, last)

    async def minutes(self) -> None:
        for replica in range(10):
            values = {
                "minute": self._ago("n * 60"),
                "replica": f"'replica-{replica}'",
                "published": "5",
                "handled": "5",
                "failed": "1",
                "dead": "0",
            }
            await self._insert("replica_minutes", values, 1, 1439)

    def _of_both_boxes(self) -> dict[str, str]:
        request = "n DIV 5" if self._name == "mysql" else "(n - n % 5) / 5"
        quoted = self._database.writer.dialect.identifier_preparer.quote
        return {
            "message_id": self._sql["id"],
            "topic": self._joined("orders.topic-", "n % 20"),
            "correlation_id": self._joined("request-", request),
            "headers": HEADERS,
            "attempts": "n % 3",
            quoted("key"): self._joined("key-", "n % 10000"),
        }

    def _ago(self, seconds: str) -> str:
        return self._sql["ago"].format(seconds)

    def _joined(self, prefix: str, value: str) -> str:
        is_typed = self._name == "postgresql"
        number = f"({value})::text" if is_typed else f"CAST({value} AS CHAR(10))"
        return self._sql["join"].format(f"'{prefix}'", number)

    async def _insert(self, table: str, values: dict[str, str], first: int, last: int) -> None:
        what = self._sql["numbers"].format(", ".join(values.values()))
        insert = f"INSERT INTO {table} ({', '.join(values)}) "
        if self._name == "sqlite":
            numbers, _, rest = what.partition(") SELECT ")
            statement = f"{numbers}) {insert} SELECT {rest}"
        else:
            statement = insert + what
        async with self._database.begin() as connection:
            await connection.execute(text(statement), {"first": first, "last": last})
