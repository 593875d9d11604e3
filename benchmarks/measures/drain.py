"""Publishes the rows that wait, alone or beside other publishers."""

import argparse

from app.building_blocks.logs import configure_logs
from app.database import open_database
from app.settings import load_settings
from child import ready, run, tell
from draining import Draining


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True, help="of all publishers together")
    chosen = parser.parse_args()
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    database = open_database(settings.database_url)
    async with Draining(settings, database) as draining:
        await ready()
        tell(**await draining.drain(chosen.rows))
    await database.dispose()


run(main())
