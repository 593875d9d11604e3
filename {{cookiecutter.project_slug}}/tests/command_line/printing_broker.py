"""`python -m tests.command_line.printing_broker ...`: the command line, with a broker that prints.

It takes BROKER_URL=printing://, and tells each message that it has confirmed on its stdout.
"""

import runpy
import sys
from collections.abc import Sequence
from typing import Any

from app import broker
from app.building_blocks.brokers.adapter import Binding, BrokerMessage, Receive
from app.building_blocks.brokers.together import Outcomes, publish_each


class PrintingAdapter:
    """A `BrokerAdapter` for what goes out only."""

    binding = Binding("printing", "ce-", "printing")
    publish_at_once = 1

    def __init__(self, url: str, service: str, **options: Any) -> None:
        self._is_connected = False

    def declare(self, topic: str) -> None:
        self._say(f"declared {topic}")

    def subscribe(
        self,
        topic: str,
        consumer: str,
        receive: Receive,
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> None:
        self._say(f"subscribed {consumer}")

    async def start(self) -> None:
        self._is_connected = True

    async def stop(self) -> None:
        self._is_connected = False
        self._say("stopped")

    async def publish(self, message: BrokerMessage) -> None:
        self._say(f"published {message.topic} {message.body.decode()}")

    async def publish_all(self, messages: Sequence[BrokerMessage]) -> Outcomes:
        return await publish_each(self.publish, messages)

    async def is_connected(self) -> bool:
        return self._is_connected

    def _say(self, line: str) -> None:
        print(line, flush=True)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    broker.BROKERS = {**broker.BROKERS, "printing": PrintingAdapter}
    sys.argv[0] = "app"
    runpy.run_module("app", run_name="__main__")
