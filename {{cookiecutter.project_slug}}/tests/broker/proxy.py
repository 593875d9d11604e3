"""A network between an adapter and its server that can be cut or fall silent."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from tests.own_broker import redirected
from tests.urls import through


class Proxy:
    """Passes bytes on; `lost` is what it swallowed while it was silent."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self.lost = b""
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows, self._reads = asyncio.Event(), asyncio.Event()
        self._flows.set()
        self._reads.set()

    @property
    def url(self) -> str:
        return through(self._server_url, self._port)

    @property
    def connections(self) -> int:
        return len(self._writers) // 2

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Refuse new connections and end the present ones."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Accept connections, forward nothing."""
        self._flows.clear()

    def stall(self) -> None:
        """Read nothing more, as a server that is short of memory."""
        self._reads.clear()

    def forward_again(self) -> None:
        """Serve new connections; what was connected before stays silent for ever."""
        self._flows = asyncio.Event()
        self._flows.set()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flows, address = self._flows, urlsplit(self._server_url)
        there, back = await asyncio.open_connection(address.hostname, address.port)
        self._writers |= {writer, back}
        pumps = {
            asyncio.create_task(self._pump(flows, reader, back)),
            asyncio.create_task(self._pump(flows, there, writer, is_answer=True)),
        }
        self._tasks |= pumps
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        self._writers -= {writer, back}
        writer.transport.abort()
        back.transport.abort()

    async def _pump(
        self,
        flows: asyncio.Event,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        is_answer: bool = False,
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._reads.wait()
                if not flows.is_set():
                    self.lost += data
                    continue
                sink.write(redirected(data, self._port) if is_answer else data)
                await sink.drain()
