"""Batches on every broker: deliveries come together, and go on after a failure and a restart."""

import asyncio

from app.building_blocks.mediator import Mediator
from tests.guarantees.brokers import NoteIntegrationEvent, Service, publish
from tests.waiting import eventually

Notes = list[NoteIntegrationEvent]


class HandledTogether(list[list[int]]):
    """A handler, and the numbers of the notes that it got at each call."""

    async def many(self, events: Notes, mediator: Mediator) -> None:
        self.append([event.number for event in events])
        # As long as it takes to come from the broker.
        await asyncio.sleep(0.05)

    @property
    def numbers(self) -> list[int]:
        return sorted(number for call in self for number in call)


async def test_what_waits_in_a_broker_is_handled_together(service: Service) -> None:
    handled = HandledTogether()
    async with service.running(service.feature(handled.many, batch=50)) as app:
        await publish(app, *(service.note(number=number) for number in range(200)))
        await service.all_handled(200)
    assert handled.numbers == list(range(200))
    assert 1 < max(len(call) for call in handled) <= 50
    assert len(handled) < 100


async def test_a_stop_between_batches_loses_nothing_and_doubles_nothing(service: Service) -> None:
    handled = HandledTogether()

    async def has_begun() -> bool:
        return len(handled) > 1

    async with service.running(service.feature(handled.many, batch=10)) as app:
        await publish(app, *(service.note(number=number) for number in range(200)))
        await eventually(has_begun, what="the first batches")
    async with service.running(service.feature(handled.many, batch=10)):
        await service.all_handled(200)
    assert handled.numbers == list(range(200))
