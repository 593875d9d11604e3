"""What BROKER_URL says about Redis."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from app.building_blocks.brokers.redis.retention import Retention, read_retention


def read_url(url: str, timeout: float) -> tuple[str, float, Retention]:
    """What redis-py is to connect to, its socket timeout in seconds, and what streams keep.

    Raises ValueError, a sentence, when it makes no sense.
    """
    parts = urlsplit(url)
    if not parts.path.strip("/").isdigit() and parts.path.strip("/"):
        raise ValueError(f"the path of a Redis URL is a database number, not {parts.path!r}")
    query = {
        "socket_timeout": str(timeout),
        "socket_connect_timeout": str(timeout),
        "max_connections": "1000",
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
        # The answers of version 3 have another shape.
        "protocol": "2",
    }
    retention = read_retention(query.pop("keep_hours", None), query.pop("keep_entries", None))
    url = urlunsplit(parts._replace(query=urlencode(query)))
    try:
        pool: Any = ConnectionPool.from_url(url)
        pool.make_connection()
    except (RedisError, TypeError) as error:
        raise ValueError(f"redis-py cannot use it: {error}") from error
    return url, float(query["socket_timeout"]), retention
