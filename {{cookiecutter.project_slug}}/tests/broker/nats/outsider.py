"""The server as another program sees it."""

import json
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.broker.bench import Bench


class Outsider:
    """Speaks to JetStream without an adapter."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ask(self, what: str, question: object = None) -> Any:
        payload = b"" if question is None else json.dumps(question).encode()
        return json.loads((await self.client.request(f"$JS.API.{what}", payload, timeout=5)).data)

    async def stream(self, name: str) -> Any:
        """Configuration and state of a stream."""
        return await self.ask(f"STREAM.INFO.{name}")

    async def change(self, name: str, **config: object) -> None:
        """As an operator does it with `nats stream edit`."""
        old = (await self.stream(name))["config"]
        assert "error" not in await self.ask(f"STREAM.UPDATE.{name}", old | config)

    async def consumer(self, bench: Bench) -> Any:
        return await self.ask(f"CONSUMER.INFO.{bench.service}.{durable_of(bench)}")

    async def take(self, bench: Bench) -> Msg:
        """The next message of the consumer, as a replica gets it that dies before the ack."""
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{bench.service}.{durable_of(bench)}"
        request = b'{"batch": 1, "expires": 5000000000}'
        return await self.client.request(subject, request, timeout=6, old_style=True)


def durable_of(bench: Bench) -> str:
    return bench.consumer.replace(".", "--")
