"""How Kafka is reached: its servers, the login, and what it means when they do not answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from app.building_blocks.brokers.adapter import BrokerUnavailableError

MECHANISMS = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}
RETRY_BACKOFF = 0.25


class KafkaAddress(NamedTuple):
    """What a BROKER_URL says, and the name by which the servers know this service."""

    servers: list[str]
    security: BaseSecurity
    service: str

    def settings(self, request_timeout: float) -> dict[str, Any]:
        """For a client of aiokafka's. `request_timeout` is in seconds."""
        return {
            "bootstrap_servers": self.servers,
            "client_id": self.service,
            "request_timeout_ms": milliseconds(request_timeout),
            "retry_backoff_ms": milliseconds(RETRY_BACKOFF),
            **parse_security(self.security),
        }


def read_address(url: str, service: str) -> KafkaAddress:
    """Read `kafka[+ssl]://[user:password@]host:port[,host:port...]`. Raises ValueError."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    for server in hosts.split(","):
        address = urlsplit(f"//{server}")
        if not address.hostname or not address.port:
            raise ValueError(f"{server!r} is not host:port")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    mechanism = options.pop("sasl_mechanism", "PLAIN")
    if options or parts.path.strip("/"):
        raise ValueError("only ?sasl_mechanism= may follow the servers")
    if mechanism not in MECHANISMS:
        raise ValueError(f"sasl_mechanism is {mechanism!r}, not one of {', '.join(MECHANISMS)}")
    tls = ssl.create_default_context() if parts.scheme == "kafka+ssl" else None
    user, _, password = login.partition(":")
    security = (
        MECHANISMS[mechanism](unquote(user), unquote(password), tls) if login else BaseSecurity(tls)
    )
    return KafkaAddress(hosts.split(","), security, service)


def consuming_broker(
    address: KafkaAddress,
    session_timeout: float,
    middlewares: Sequence[KafkaPrometheusMiddleware] = (),
) -> KafkaBroker:
    """What FastStream's subscribers belong to; it has no producer. Seconds."""
    return KafkaBroker(
        address.servers,
        security=address.security,
        client_id=address.service,
        # A server may keep a request to join for as long as a session.
        request_timeout_ms=milliseconds(session_timeout + 2),
        retry_backoff_ms=milliseconds(RETRY_BACKOFF),
        consumer_only=True,
        graceful_timeout=None,
        middlewares=middlewares,
        apply_types=False,
        logger=None,
    )


@asynccontextmanager
async def reaching_kafka(seconds: float) -> AsyncIterator[None]:
    """Turn every way in which Kafka can be gone into BrokerUnavailableError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, OSError) as error:
        raise _unavailable(error) from error


def outcome_of(send: asyncio.Future[None]) -> Exception | None:
    """What came of a send that has ended, or was cancelled because it took too long."""
    try:
        send.result()
    except asyncio.CancelledError:
        return BrokerUnavailableError("Kafka did not confirm in time: try again later")
    except (KafkaError, OSError) as error:
        return _unavailable(error)
    except Exception as error:
        return error
    return None


def _unavailable(error: BaseException) -> BrokerUnavailableError:
    return BrokerUnavailableError(f"Kafka cannot be reached, try later: {error!r}")


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
