"""A NATS of the test's own, which can be configured, killed and started again."""

import json
from pathlib import Path

from tests.broker.own_server import OwnServer


class NatsServer(OwnServer):
    """Keeps its streams in the folder `data`."""

    def __init__(self, folder: Path) -> None:
        super().__init__("nats-server", "nats://127.0.0.1:{port}")
        self.data, self._config = folder / "data", folder / "nats.conf"
        self.configure(f"max_payload: 2MB\njetstream {{ store_dir: {json.dumps(str(self.data))} }}")

    def configure(self, text: str) -> None:
        self._config.write_text(f'listen: "127.0.0.1:{self.port}"\n{text}\n')

    async def start(self) -> None:
        await self.run("--config", str(self._config))
