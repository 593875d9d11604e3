"""On every broker, nothing is lost while the service is down or as it stops."""

import asyncio

from app.building_blocks.inbox.table import inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import outbox
from tests.guarantees.brokers import Handled, NoteIntegrationEvent, Service, publish
from tests.waiting import eventually


async def test_what_was_published_while_the_service_was_down_is_handled_when_it_is_back(
    service: Service,
) -> None:
    handled = Handled()
    feature = service.feature(handled.one)
    async with service.running(feature):
        assert not handled

    # A broker that keeps messages has to; where it cannot, the outbox keeps the row.
    async with service.running(outbox_publisher_enabled=service.broker_stays) as app:
        await publish(app, *(service.note(number=number) for number in range(20)))
        if service.broker_stays:
            await service.empty(outbox)
    assert not handled
    assert not await service.rows(inbox)

    async with service.running(feature):
        await service.all_handled(20)
    assert sorted(handled) == list(range(20))


async def test_a_graceful_stop_while_handlers_run_loses_nothing(service: Service) -> None:
    started, finished = Handled(), Handled()
    done = asyncio.Event()

    async def take_until_done(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        await started.one(event, mediator)
        await done.wait()
        await finished.one(event, mediator)

    async def has_started() -> bool:
        return bool(started)

    feature = service.feature(take_until_done)
    async with service.running(feature) as app:
        await publish(app, *(service.note(number=number) for number in range(20)))
        await eventually(has_started, what="a handler that runs")
        assert not finished
        # The end of this block stops the service, and finds the handlers at work.
        asyncio.get_running_loop().call_later(0.3, done.set)
    assert finished
    assert sorted(finished) == sorted(started)

    async with service.running(feature):
        await service.all_handled(20)
    assert sorted(finished) == list(range(20))
