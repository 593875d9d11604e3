"""A TCP proxy on loopback: the network between the service and one of its servers."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self

_CHUNK = 65536  # bytes
_LATENCY = 0.1  # seconds for each piece, each way


class Proxy:
    """Passes bytes on between a port of its own and a server, until told to do worse.

    A trouble lasts for a number of seconds, and takes the place of the one before. `redirected`
    makes of what the server says what a client behind the proxy's port has to hear.
    """

    def __init__(self, host: str, port: int, redirected: Callable[[bytes, int], bytes]) -> None:
        self.port = 0
        self._redirected = redirected
        self._server = host, port
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[StreamWriter] = set()
        self._requests_pass, self._answers_pass = asyncio.Event(), asyncio.Event()
        self._refusing = False
        self._latency = 0.0
        self._end: asyncio.TimerHandle | None = None

    def heal(self) -> None:
        """Pass everything on."""
        if self._end is not None:
            self._end.cancel()
        self._requests_pass.set()
        self._answers_pass.set()
        self._refusing, self._latency = False, 0.0

    def cut(self) -> None:
        """Break every connection; new ones are fine."""
        for writer in list(self._writers):
            writer.transport.abort()
        self.heal()

    def refuse(self, seconds: float) -> None:
        """Break every connection, and each new one at once, as when no server runs there."""
        self.cut()
        self._refusing = True
        self._later(seconds, self.heal)

    def delay(self, seconds: float) -> None:
        """Everything arrives, late."""
        self.heal()
        self._latency = _LATENCY
        self._later(seconds, self.heal)

    def stall(self, seconds: float) -> None:
        """A black hole: connections stay open and are accepted, and nothing comes through."""
        self.heal()
        self._requests_pass.clear()
        self._answers_pass.clear()
        self._later(seconds, self.heal)

    def mute(self, seconds: float) -> None:
        """Requests arrive and take effect, but the connections break before an answer comes."""
        self.heal()
        self._answers_pass.clear()
        self._later(seconds, self.cut)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Self]:
        """Listen for the length of a block."""
        self.heal()
        listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            self.cut()
            if self._connections:
                await asyncio.wait(self._connections)

    def _later(self, seconds: float, end: Callable[[], None]) -> None:
        self._end = asyncio.get_running_loop().call_later(seconds, end)

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        connection = asyncio.create_task(self._carry(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        writers = [writer]
        try:
            await self._requests_pass.wait()
            server_reader, server_writer = await asyncio.open_connection(*self._server)
            writers.append(server_writer)
            self._writers.add(server_writer)
            pumps = {
                asyncio.create_task(self._pump(reader, server_writer, self._requests_pass)),
                asyncio.create_task(
                    self._pump(server_reader, writer, self._answers_pass, self._redirected)
                ),
            }
            _, open_ones = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in open_ones:
                pump.cancel()
            await asyncio.wait(pumps)
        except OSError:
            writer.transport.abort()  # the server is not there: neither is the proxy
        finally:
            for each in writers:
                each.close()
                self._writers.discard(each)

    async def _pump(
        self,
        source: StreamReader,
        sink: StreamWriter,
        passes: asyncio.Event,
        changed: Callable[[bytes, int], bytes] = lambda data, _: data,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                if self._latency:
                    await asyncio.sleep(self._latency)
                await passes.wait()
                sink.write(changed(data, self.port))
                await sink.drain()
