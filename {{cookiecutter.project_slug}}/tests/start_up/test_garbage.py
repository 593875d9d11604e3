"""What is loaded is no garbage, and nobody looks at it again while the service runs."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from app.broker import open_broker
from app.building_blocks.command_line.publishing import PublisherProcess
from app.building_blocks.garbage import leave_out_what_is_loaded
from app.building_blocks.retry_policy import RetryPolicy
from app.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.waiting import eventually

MANY = 10_000


@pytest.fixture(autouse=True)
def nothing_frozen() -> Iterator[None]:
    """As in a process of the service's own; the tests' own is frozen while they run."""
    gc.unfreeze()
    yield
    gc.freeze()


async def test_a_service_leaves_it_out_until_its_end(settings: Settings) -> None:
    app = create_app(settings)
    before = gc.get_threshold()
    async with app.router.lifespan_context(app):
        assert gc.get_freeze_count() > MANY
        assert gc.get_threshold()[0] >= MANY
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before


def test_how_often_it_begins_is_put_back_also_where_somebody_else_has_frozen() -> None:
    before = gc.get_threshold()
    gc.freeze()
    with leave_out_what_is_loaded():
        assert gc.get_threshold()[0] >= MANY
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() > MANY


def test_a_collector_that_somebody_has_turned_off_stays_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with leave_out_what_is_loaded():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


async def test_a_publisher_of_its_own_does_so_too(settings: Settings) -> None:
    process = PublisherProcess(
        open_database(settings.database_url),
        open_broker(settings.broker_url, settings.service_name),
        [],
        refusals=RetryPolicy(),
        retention_hours=1,
        batch_size=1,
        poll_interval=1,
    )
    told_to_end = asyncio.Event()
    running = asyncio.create_task(process.run(told_to_end))

    async def frozen() -> bool:
        return gc.get_freeze_count() > MANY

    await eventually(frozen, what="the publisher running")
    told_to_end.set()
    await running
    assert gc.get_freeze_count() == 0


def test_the_end_of_a_second_service_in_the_process_changes_nothing_for_the_first() -> None:
    with leave_out_what_is_loaded():
        with leave_out_what_is_loaded():
            pass
        assert gc.get_freeze_count() > MANY
    assert gc.get_freeze_count() == 0
