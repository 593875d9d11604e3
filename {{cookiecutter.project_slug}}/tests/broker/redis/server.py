"""A Redis of the test's own, which can be killed and started again."""

from pathlib import Path

from tests.broker.own_server import OwnServer


class RedisServer(OwnServer):
    """Writes what it keeps into `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__("redis-server", "redis://127.0.0.1:{port}/0")
        self._folder = folder

    async def start(self, *, keeps_data: bool) -> None:
        await self.run(
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)),
            *("--logfile", "redis.log", "--save", ""),
            *("--appendonly", "yes" if keeps_data else "no"),
        )
