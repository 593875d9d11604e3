"""From the first page of a state to its last."""

import pytest

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import STATES, State
from tests.operations.rows import ids, messages_of

EVERYTHING = MessageFilter()
every_state = pytest.mark.parametrize(
    "state", STATES, ids=lambda state: f"{state.box}-{state.name}"
)


async def walk(database: Database, state: State, wanted: MessageFilter, limit: int) -> list[str]:
    """The ids on all pages, in their order."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = await messages_of(database).page(state, wanted, after, limit)
        assert len(page.messages) <= limit
        found += ids(page.messages)
        if page.next is None:
            assert page.searched_all
            return found
        after = page.next
