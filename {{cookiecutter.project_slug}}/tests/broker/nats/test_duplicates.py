"""What becomes of a message that comes twice."""

import asyncio
from uuid import uuid4

import nats

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import HANDLED, inbox
from app.building_blocks.mediator import Mediator
from app.settings import Settings
from tests.broker.bench import Bench
from tests.broker.nats.outsider import Outsider
from tests.guarantees.brokers import NoteIntegrationEvent, Service, count_duplicates
from tests.waiting import eventually


async def test_the_server_drops_what_is_published_twice(bench: Bench, outsider: Outsider) -> None:
    adapter = bench.publisher()
    await adapter.start()
    message = bench.message()
    await asyncio.gather(*(adapter.publish(message) for _ in range(3)))
    assert (await outsider.stream(bench.service))["state"]["messages"] == 1


async def test_the_inbox_knows_a_duplicate_that_the_server_does_not(
    settings: Settings, database: Database, bench: Bench
) -> None:
    service, handled = Service(settings, database, "own"), list[int]()

    async def handle(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        handled.append(event.number)

    async with service.running(service.feature(handle)) as app, await nats.connect(bench.url) as nc:

        async def both_came() -> bool:
            return await count_duplicates(app) == 2

        first = service.message(b"{}", {"ce-id": str(uuid4()), "ce-type": service.topic})
        await app.state.broker.publish(first)
        headers = {"ce-id": str(uuid4()), "ce-type": service.topic}
        for _ in range(3):
            await nc.publish(service.topic, b'{"number": 7}', headers=headers)
        await eventually(both_came, what="the delivery of two duplicates")
        await service.all_handled(2)
        await nc.request(f"$JS.API.STREAM.DELETE.{service.name}", timeout=5)
    assert sorted(handled) == [0, 7]
    assert [row.state for row in await service.rows(inbox)] == [HANDLED] * 2
