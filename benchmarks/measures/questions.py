"""Every question that the pages and the command line ask."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.activity import minutes_of, replicas_of
from app.building_blocks.operations.backlog import backlogs
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.operations.states import STATES, State


def filters(rows: int) -> dict[str, MessageFilter]:
    now = datetime.now(UTC)
    middle = f"{rows // 2:08x}-0000-7000-8000-000000000000"
    return {
        "no filter": MessageFilter(),
        "topic of 5 %": MessageFilter(topic="orders.topic-7"),
        "topic of none": MessageFilter(topic="orders.nothing"),
        "key of 100 rows": MessageFilter(key="key-77"),
        "key of none": MessageFilter(key="nobody"),
        "consumer of 25 %": MessageFilter(consumer="shop.payments.when-1"),
        "consumer of none": MessageFilter(consumer="nobody"),
        "message id": MessageFilter(message_id=middle),
        "message id of none": MessageFilter(message_id="nothing"),
        "text in all": MessageFilter(text="lorem"),
        "text in none": MessageFilter(text="nothing like it"),
        "last 5 minutes": MessageFilter(since=now - timedelta(minutes=5)),
        "a minute at noon": MessageFilter(
            since=now - timedelta(hours=12), until=now - timedelta(hours=11, minutes=59)
        ),
        "before all": MessageFilter(until=now - timedelta(days=9)),
        "topic, key and text of none": MessageFilter(
            topic="orders.topic-7", key="key-78", text="nothing like it"
        ),
    }


Question = Callable[[], Awaitable[Any]]


def questions(database: Database, rows: int) -> Iterator[tuple[str, Question]]:
    messages = Messages(database, Secrets([]))
    some = f"{rows // 2:08x}-0000-7000-8000-000000000000"
    for state in STATES:
        for name, wanted in filters(rows).items():
            yield (
                f"page {state.box} {state.name}: {name}",
                lambda state=state, wanted=wanted: messages.page(state, wanted),
            )
        yield f"page {state.box} {state.name}: the 20th", lambda state=state: _deep(messages, state)
        yield (
            f"count {state.box} {state.name}: topic of 5 %",
            lambda state=state: messages.count(state, MessageFilter(topic="orders.topic-7")),
        )
    for box in ("outbox", "inbox"):
        yield f"find {box}", lambda box=box: messages.find(box, some)
        yield f"find {box}: none", lambda box=box: messages.find(box, "nothing")
    yield "chain", lambda: messages.chain(f"request-{rows // 10}")
    yield "chain of none", lambda: messages.chain("nothing")
    yield "backlogs", lambda: backlogs(database)
    yield "minutes of a day", lambda: minutes_of(database)
    yield "replicas", lambda: replicas_of(database)


_deep_cursors: dict[str, str | None] = {}


async def _deep(messages: Messages, state: State) -> None:
    """A page after 19 others, which are walked once."""
    name = f"{state.box} {state.name}"
    if name not in _deep_cursors:
        after: str | None = None
        for _ in range(19):
            page = await messages.page(state, MessageFilter(), after)
            after = page.next or after
        _deep_cursors[name] = after
    await messages.page(state, MessageFilter(), _deep_cursors[name])


def commands() -> Iterator[list[str]]:
    for box in ("outbox", "inbox"):
        yield [box, "status"]
        yield [box, "status", "--json"]
        yield [box, "show", "00030d40-0000-7000-8000-000000000000"]
        for state in (state.name for state in STATES if state.box == box):
            yield [box, "list", "--state", state]
            yield [box, "list", "--state", state, "--topic", "orders.nothing"]
            yield [box, "list", "--state", state, "--text", "nothing like it", "--json"]
