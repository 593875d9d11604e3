"""What a database says of an error names the table and not what is in it."""

import traceback
from typing import Any

import pytest
from sqlalchemy import Table, insert
from sqlalchemy.exc import DBAPIError

from app.building_blocks.databases.database import Database
from app.building_blocks.inbox.table import inbox
from app.building_blocks.outbox.table import outbox

VALUES = ["hunter2", "it's", 'say "hunter2"', "' for key 'hunter2", "hun\nter2"]


def row(value: str) -> dict[str, Any]:
    return {"message_id": value, "topic": value, "payload": value}


def foreign(value: str) -> dict[str, Any]:
    return {
        "message_id": value, "consumer": value, "topic": value, "headers": {}, "payload": b"",
        "state": "dead", "attempts": 0, "received_at": None,
    }  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("table", "make"), [(outbox, row), (inbox, foreign)])
async def test_a_duplicate_does_not_show(
    database: Database, table: Table, make: Any, value: str
) -> None:
    async with database.begin() as connection:
        values = make(value)
        if table is inbox:
            values["received_at"] = await database.now(connection)
        await connection.execute(insert(table).values(values))
    with pytest.raises(DBAPIError) as caught:
        async with database.begin() as connection:
            await connection.execute(insert(table).values(values))
    error = caught.value
    assert table.name in str(error)
    told = "".join((str(error), repr(error), repr(error.orig), *traceback.format_exception(error)))
    for spelled in (value, repr(value)[1:-1], value.replace("'", "\\'")):
        assert spelled not in told.replace(__file__, "")
