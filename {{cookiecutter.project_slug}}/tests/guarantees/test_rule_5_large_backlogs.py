"""Claims from a large backlog: how many statements, along which index, and nothing forgotten."""

from app.building_blocks.databases.database import Database
from app.building_blocks.feature import Feature
from app.building_blocks.mediator import Mediator
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.claims import Claims
from app.features.orders.create_order import CreateOrder
from app.features.orders.domain import OrderCreated
from app.features.orders.feature import orders
from tests.guarantees.conftest import count_published, write_rows
from tests.guarantees.statements import statements_of
from tests.many_rows import fill
from tests.mediators import mediator_of
from tests.waiting import eventually


async def test_a_batch_takes_as_many_statements_however_large_it_is(database: Database) -> None:
    await write_rows(database, *((f"k{n}", f"{n}") for n in range(600)))
    kept = 4 if database.dialect.deletes_within else 6
    for keep_published, statements in ((True, kept), (False, 4)):
        claims = Claims(database, keep_published=keep_published)
        for limit in (1, 200):
            with statements_of(database) as sent:
                assert await claims.mark_published(await claims.claim(limit)) == limit
            assert len(sent) == statements, sent
    assert await count_published(database) == 201


async def test_an_event_costs_its_command_one_statement(database: Database) -> None:
    silent = Feature("orders")
    silent.commands, silent.domain_event_handlers = orders.commands, orders.domain_event_handlers
    counts = []
    for mediator in (mediator_of(database, silent), mediator_of(database, orders)):
        with statements_of(database) as sent:
            await create_order(mediator)
        counts.append(len(sent))
    assert orders.converters[0][0] is OrderCreated
    assert counts[1] == counts[0] + 1


async def create_order(mediator: Mediator) -> None:
    await mediator.send(CreateOrder.model_validate({"customer": "ada", "amount": "12.50"}))


async def test_what_is_given_back_behind_a_backlog_is_found_again(database: Database) -> None:
    await fill(database, waiting=1000)
    claims = Claims(database)
    first = await claims.claim(2)
    assert [row.payload for row in await claims.claim(2)] == ["2", "3"]
    await claims.release(first)

    async def found() -> list[ClaimedRow]:
        # One at a time, so that the backlog lasts.
        rows = await claims.claim(1)
        return [row for row in rows if row.payload == "0"]

    assert await eventually(found, deadline=5, what="the row that was given back")


async def test_keys_that_are_claimed_further_down_are_busy_too(database: Database) -> None:
    others = [f"claimed {number}" for number in range(30)]
    await write_rows(database, ("first", "first"))
    [first] = await Claims(database).claim(1)
    await write_rows(database, *(("first", "next") for _ in range(4)))
    await write_rows(database, *((key, "first") for key in others))
    assert len(await Claims(database).claim(30)) == 30
    await write_rows(database, *((key, "next") for key in others), ("free", "at last"))
    [row] = await Claims(database).claim(4)
    assert (first.key, row.payload) == ("first", "at last")


async def test_what_is_due_behind_rows_of_busy_keys_is_found_by_one_claim(
    database: Database,
) -> None:
    busy = [f"busy {number}" for number in range(7)]
    await write_rows(database, *((key, "first") for key in busy))
    assert len(await Claims(database).claim(7)) == 7
    await write_rows(database, *((key, "next") for key in busy), ("free", "at last"))
    for limit in (1, 4, 7):
        claims = Claims(database)
        [row] = await claims.claim(limit)
        assert row.payload == "at last"
        await claims.release([row])
