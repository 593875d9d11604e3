"""The contract that holds on every broker of this service, word for word the same.

A server that is not in memory is found by TEST_BROKER_URL, else by the service's own BROKER_URL.
"""

import asyncio
import random
from collections import defaultdict
from uuid import uuid4

from sqlalchemy.exc import DBAPIError

from app.building_blocks.inbox.table import RETRYING, inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import outbox, published
from app.building_blocks.retry_policy import RetryPolicy
from tests.guarantees.brokers import (
    Handled,
    NoteIntegrationEvent,
    Service,
    count_duplicates,
    publish,
)
from tests.waiting import eventually


async def test_each_handler_gets_each_message_once(service: Service) -> None:
    one, other = [], []

    async def first(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        one.append(event.number)

    async def second(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        other.append(event.number)

    async with service.running(service.feature(first, second)) as app:
        await publish(app, *(service.note(number=number) for number in range(50)))
        await service.all_handled(100)
    assert sorted(one) == sorted(other) == list(range(50))


async def test_an_event_that_nobody_listens_to_is_published(service: Service) -> None:
    async with service.running() as app:
        await publish(app, service.note())
        await service.empty(outbox)
    assert [row.topic for row in await service.rows(published)] == [service.topic]


async def test_a_duplicate_delivery_has_one_effect(service: Service) -> None:
    handled = Handled()
    headers = {"ce-id": str(uuid4()), "ce-type": service.topic}
    message = service.message(b'{"number": 7}', headers)
    expected = 0 if service.broker_drops_duplicates else 2

    async with service.running(service.feature(handled.one)) as app:

        async def all_came() -> bool:
            return await count_duplicates(app) == expected

        await asyncio.gather(*(app.state.broker.publish(message) for _ in range(3)))
        await publish(app, service.note(number=8))
        await service.all_handled(2)
        await eventually(all_came, what=f"{expected} duplicates")
    assert sorted(handled) == [7, 8]


async def test_a_failing_handler_is_retried_from_the_inbox_and_the_others_go_on(
    service: Service,
) -> None:
    others, failures = Handled(), 0

    async def fail_until_the_others_are_done(
        event: NoteIntegrationEvent, mediator: Mediator
    ) -> None:
        nonlocal failures
        if event.number > 0:
            await others.one(event, mediator)
        elif len(others) < 10:
            failures += 1
            raise ValueError("not yet")

    async def has_failed() -> bool:
        return [row.state for row in await service.rows(inbox)] == [RETRYING]

    retry = RetryPolicy(max_retries=1000, base_delay=0.05, max_delay=0.05)
    feature = service.feature(fail_until_the_others_are_done, retry=retry)
    async with service.running(feature) as app:
        await publish(app, service.note(number=0))
        await eventually(has_failed, what="the first failure")
        # Confirmed and gone: from here on the inbox row is the only one that knows of it.
        await service.empty(outbox)
        await publish(app, *(service.note(number=number) for number in range(1, 11)))
        await service.all_handled(11)
        assert await count_duplicates(app) == 0
    assert sorted(others) == list(range(1, 11))
    assert max(row.attempts for row in await service.rows(inbox)) == failures + 1 > 1


async def test_what_could_not_be_written_down_is_delivered_again(service: Service) -> None:
    handled, cut_off = Handled(), Handled()

    async def lose_the_database_once(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        if event.number not in cut_off:
            await cut_off.one(event, mediator)
            # As its driver says it; then there is no inbox row to fall back on.
            gone = ConnectionResetError("the database went away")
            raise DBAPIError("SELECT 1", {}, gone, connection_invalidated=True)
        await handled.one(event, mediator)

    async with service.running(service.feature(lose_the_database_once)) as app:
        await publish(app, *(service.note(number=number) for number in range(3)))
        await service.all_handled(3)
    assert sorted(handled) == sorted(cut_off) == [0, 1, 2]
    assert {row.attempts for row in await service.rows(inbox)} == {1}


async def test_the_order_of_each_key_is_kept(service: Service) -> None:
    handled: dict[str | None, list[int]] = defaultdict(list)

    async def take_a_random_moment(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        await asyncio.sleep(random.uniform(0, 0.01))
        handled[event.pile].append(event.number)

    notes = [service.note(number=number, pile=f"pile {number % 4}") for number in range(100)]
    async with service.running(service.feature(take_a_random_moment, ordered=True)) as app:
        for first in (0, 50):
            await publish(app, *notes[first : first + 50])
        await service.all_handled(100)
    assert handled == {f"pile {n}": list(range(n, 100, 4)) for n in range(4)}
