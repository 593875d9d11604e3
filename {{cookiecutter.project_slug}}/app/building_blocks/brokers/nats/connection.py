"""Connects to a NATS server, once, and takes leave of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from nats.aio.client import Client
from nats.errors import Error

from app.building_blocks.brokers.adapter import BrokerUnavailableError

log = logging.getLogger("app.broker")


class Connection(Client):
    """The client, less a few of its faults."""

    def _connect_command(self) -> bytes:
        # Otherwise tls:// would send the password in the clear to a server without TLS.
        uses_tls = self._current_server is not None and self._current_server.uri.scheme == "tls"
        if uses_tls and not self._server_info.get("tls_required"):
            raise Error("the URL says tls:// and the server does not insist on TLS")
        return super()._connect_command()

    async def _process_op_err(self, e: Exception) -> None:
        # To write to a connection that is broken would end its closing halfway.
        self._pending, self._pending_data_size = [], 0
        await super()._process_op_err(e)

    async def _process_pong(self) -> None:
        # An answer that nobody waits for any longer would end the reading.
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.Future()
        await super()._process_pong()


class Server:
    """Where NATS is. Raises ValueError for a URL that names no server."""

    def __init__(self, url: str) -> None:
        scheme, _, places = url.partition("://")
        self._urls, self._login = list[str](), dict[str, str]()
        for place in places.replace(f"{scheme}://", "").rstrip("/").split(","):
            parts = urlsplit(f"{scheme}://{place}")
            if not parts.hostname or parts.path or parts.query or parts.fragment:
                raise ValueError("write nats://host:4222, or several: nats://one:4222,two:4222")
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            self._urls.append(f"{scheme}://{host}:{parts.port or 4222}")
            if parts.username and parts.password is None:
                self._login = {"token": unquote(parts.username)}
            elif parts.username:
                user, password = unquote(parts.username), unquote(parts.password or "")
                self._login = {"user": user, "password": password}

    async def connect(
        self, client: Client, name: str, seconds: float, closed: Callable[[], Awaitable[None]]
    ) -> None:
        """Raises nats.errors.Error and OSError, and then leaves nothing open."""
        problem: Exception | None = None

        async def note(error: Exception) -> None:
            nonlocal problem
            problem = error
            if "permissions violation" in str(error).lower():
                log.warning("this service lacks a permission on NATS: %s", error)

        options: dict[str, Any] = {
            "name": name,
            "closed_cb": closed,
            "error_cb": note,
            "connect_timeout": seconds,
            "ping_interval": seconds,
            "max_outstanding_pings": 1,
            # The client's own reconnecting ends for good at some errors and leaks sockets at
            # others, so that a lost connection is closed and another one made.
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0,
            # No limit: to wait until less is pending would swallow a cancellation.
            "pending_size": 0,
            **self._login,
        }
        try:
            await client.connect(self._urls, **options)
        except BaseException as error:
            await disconnect(client, seconds)
            if problem is not None and isinstance(error, Error):
                raise problem from error
            raise


async def disconnect(client: Client, seconds: float) -> None:
    """Send what is on its way and close, whether or not the server still answers."""
    for goodbye in (client.flush, client.close):
        with suppress(Exception):
            async with asyncio.timeout(seconds):
                await goodbye()


@asynccontextmanager
async def reaching_nats(seconds: float) -> AsyncIterator[None]:
    """Turn every way in which NATS can be gone into BrokerUnavailableError.

    So it does with JetStream's errors: a full disk or a lost majority mends in time, and no
    message is to blame.
    """
    task = asyncio.current_task()
    cancellations = task.cancelling() if task else 0
    try:
        async with asyncio.timeout(seconds):
            yield
    except (Error, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise BrokerUnavailableError(f"NATS cannot be reached, try later: {reason}") from error
    # The client can lose a cancellation that comes together with an answer.
    if task and task.cancelling() > cancellations:
        raise asyncio.CancelledError
