"""On every broker, what can be read arrives exactly, and what cannot is kept."""

from app.building_blocks.inbox.dead_letters import DeadLetter
from app.building_blocks.inbox.table import DEAD, HANDLED, inbox
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.table import published
from tests.guarantees.brokers import (
    Handled,
    NoteIntegrationEvent,
    Service,
    count_duplicates,
    publish,
)
from tests.waiting import eventually

A_MEBIBYTE = 1 << 20
"""The most that an outbox takes."""


async def test_what_cannot_be_read_becomes_a_dead_letter_and_comes_once(service: Service) -> None:
    handled, letters = Handled(), list[DeadLetter]()
    attributes = {"ce-source": "/elsewhere", "ce-type": service.topic}
    unreadable = {
        "unknown-type": {**attributes, "ce-id": "1", "ce-type": "tests.other.v1"},
        "malformed-json": {**attributes, "ce-id": "2"},
        "foreign": {},
    }

    async def announce(letter: DeadLetter) -> None:
        letters.append(letter)

    async def announced() -> bool:
        return len(letters) >= len(unreadable)

    feature = service.feature(handled.one)
    async with service.running(feature, on_dead_letter=announce) as app:
        await publish(app, service.note(number=1))
        for body, headers in unreadable.items():
            await app.state.broker.publish(service.message(body.encode(), headers))
        await service.settled(4)
        await eventually(announced, what="three dead letters")
        # What was given back to the broker would come again before or with these.
        await publish(app, *(service.note(number=number) for number in range(2, 32)))
        await service.settled(34)
        assert await count_duplicates(app) == 0

    assert sorted(handled) == list(range(1, 32))
    rows = await service.rows(inbox)
    assert sorted(row.state for row in rows) == [DEAD] * 3 + [HANDLED] * 31
    dead = {row.payload.decode(): row for row in rows if row.state == DEAD}
    assert set(dead) == set(unreadable)
    assert {row.attempts for row in dead.values()} == {1}
    assert {letter.message_id for letter in letters} == {row.message_id for row in dead.values()}


async def test_own_headers_unicode_and_a_mebibyte_arrive_exactly(service: Service) -> None:
    received: list[NoteIntegrationEvent] = []

    async def keep(event: NoteIntegrationEvent, mediator: Mediator) -> None:
        received.append(event)

    pile, text = "Größe/ключ 鍵 🗝", 'NUL \x00, \u2028, "quotes", \\, e\u0301, שלום, 🎈'
    small = service.note(pile=pile, text=text)
    room = A_MEBIBYTE - len(small.model_dump_json().encode())
    large = small.model_copy(update={"text": text + "x" * room})
    assert len(large.model_dump_json().encode()) == A_MEBIBYTE

    headers = {"x-tenant": "blå 世界 🎈", "x-empty": "", "x-spaces": " a  b "}
    async with service.running(service.feature(keep)) as app:
        await publish(app, large, headers=headers)
        await service.all_handled(1)
    assert received == [large]
    [sent], [row] = await service.rows(published), await service.rows(inbox)
    assert row.headers == sent.headers
    assert row.headers.items() >= headers.items()
    assert (row.message_id, row.topic, row.key) == (sent.message_id, service.topic, pile)
    assert row.payload.decode() == sent.payload
