"""The counters are served whatever is wrong with the database."""

import asyncio
from pathlib import Path

from app.main import create_app
from app.settings import Settings
from tests.clients import client_of
from tests.metrics.scraping import CREATED, scrape, value
from tests.unreachable import unusable


async def test_a_database_that_lets_nobody_in_takes_no_counter_away(
    settings: Settings, tmp_path: Path
) -> None:
    for url in unusable(settings.database_url, tmp_path):
        app = create_app(settings.model_copy(update={"database_url": url}))
        async with asyncio.timeout(10), client_of(app) as client:
            samples = await scrape(client)
        assert value(samples, "database_up") == 0
        assert value(samples, "events_published_total", CREATED) == 0
