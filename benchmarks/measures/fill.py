"""Empties the outbox and fills it, and makes the broker ready for what comes out of it."""

import argparse
import asyncio

from app.broker import open_broker
from app.building_blocks.brokers.adapter import BrokerMessage
from app.database import open_database
from app.settings import load_settings
from child import run, tell
from rows import SERVICE, TOPIC, empty, fill, tidy


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--keys", type=int, default=0, help="0: each row has a key of its own")
    parser.add_argument("--subscribed", action="store_true", help="somebody reads the topic")
    chosen = parser.parse_args()
    settings = load_settings()
    await _prepare(settings.broker_url, subscribed=chosen.subscribed)
    database = open_database(settings.database_url)
    await empty(database)
    await fill(database, chosen.rows, chosen.keys)
    await tidy(database)
    await database.dispose()
    tell(filled=chosen.rows)


async def _prepare(url: str, *, subscribed: bool) -> None:
    """What the service declares at its start: exchange, stream or topic, and a queue if asked."""
    broker = open_broker(url, SERVICE)
    broker.declare(TOPIC)
    if subscribed:
        broker.subscribe(TOPIC, f"{SERVICE}.reader", _leave)
    await broker.start()
    await broker.stop()


async def _leave(_message: BrokerMessage) -> None:
    await asyncio.get_running_loop().create_future()


run(main())
