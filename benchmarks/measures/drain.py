"""Publishes the rows that wait, alone or beside other publishers."""

import argparse

from app.building_blocks.logs import configure_logs
from app.database import open_database
from app.settings import load_settings
from child import ready, run, tell
from confirming import ConfirmingAdapter
from draining import Draining
from rows import SERVICE


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True, help="of all publishers together")
    parser.add_argument("--confirm-at-once", action="store_true", help="do without the broker")
    chosen = parser.parse_args()
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    database = open_database(settings.database_url)
    broker = ConfirmingAdapter("memory://", SERVICE) if chosen.confirm_at_once else None
    async with Draining(settings, database, broker) as draining:
        await ready()
        tell(**await draining.drain(chosen.rows))
    await database.dispose()


run(main())
