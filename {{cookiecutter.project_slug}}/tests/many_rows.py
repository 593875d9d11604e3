"""An outbox with many rows, and how the database finds those that a claim may take."""

from sqlalchemy import insert

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.due import due_rows
from app.building_blocks.outbox.table import DEAD, WAITING, outbox


async def fill(database: Database, *, dead: int = 0, waiting: int) -> None:
    """Rows without a key, the dead ones first."""
    states = [DEAD] * dead + [WAITING] * waiting
    rows = [
        {"message_id": f"{n}", "topic": "t.v1", "payload": f"{n}", "headers": {}, "state": state}
        for n, state in enumerate(states)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(outbox), rows)


async def plan_of_a_claim(database: Database, explain: str, analyze: str | None = None) -> str:
    """What the database says to `explain`, with many rows in the way of a few."""
    await fill(database, dead=5000, waiting=200)
    search = due_rows(database.dialect).params(start=0, most=100)
    written = search.compile(
        dialect=database.writer.dialect, compile_kwargs={"literal_binds": True}
    )
    async with database.reader.connect() as connection:
        if analyze:
            await connection.exec_driver_sql(analyze)
        plan = await connection.exec_driver_sql(f"{explain} {written}")
        return str(plan.all())
