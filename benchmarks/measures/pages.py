"""Every address below /ops that can be opened, by the routes of the service itself."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from app.building_blocks.operations.filters import MessageFilter
from app.building_blocks.operations.states import STATES, State
from app.building_blocks.ops import assets
from app.building_blocks.ops.charts import SPANS
from app.building_blocks.ops.filter_form import FIELDS
from app.building_blocks.ops.pages import ops_router
from app.building_blocks.ops.views import link
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.building_blocks.wiring import Wiring
from app.database import open_database
from app.features import FEATURES
from pydantic import SecretStr
from questions import filters
from shares import spans

TYPICAL = (
    *("no filter", "topic of 5 %", "topic of none", "key of 100 rows", "consumer of 25 %"),
    *("text in all", "text in none", "a minute at noon", "topic, key and text of none"),
)
COUNTED = ("no filter", "topic of 5 %", "key of 100 rows", "text in all", "text in none")
NEXT = re.compile(r'rel="next" href="([^"]+)"')


@dataclass(frozen=True)
class Filled:
    """How the tables were filled, and a browser for addresses that only a page tells."""

    case: str
    rows: int
    browser: httpx.Client


Addresses = Iterator[tuple[str, str]]


def pages(url: str, filled: Filled) -> Addresses:
    """What each shows, and its address. Raises LookupError for a route that is not known here."""
    for route in _routes(url):
        if route not in ADDRESSES:
            raise LookupError(f"no address of {route} is measured: add some to ADDRESSES")
        yield from ADDRESSES[route](filled)


def _routes(url: str) -> list[str]:
    router = ops_router(
        SecretStr("nobody comes in here"), "shop", open_database(url), Wiring(FEATURES),
        RetryPolicy(), publishing=WakeUp(), retrying=WakeUp(),
    )  # fmt: skip
    gets = [route.path for route in router.routes if "GET" in route.methods]
    # What takes any path says that there is no such page.
    return [path for path in dict.fromkeys(gets) if ":path}" not in path]


def _static(_: Filled) -> Addresses:
    for file in sorted((Path(assets.__file__).parent / "static").iterdir()):
        yield file.name, link(f"/static/{file.name}")


def _overview(_: Filled) -> Addresses:
    for span in SPANS:
        yield f"overview: {span}", link("", span=span)


def _lists(filled: Filled) -> Addresses:
    for state in STATES:
        path = f"/{state.box}/{state.name}"
        for name, query in _queries(state, filled.rows, TYPICAL):
            yield f"list {state.box} {state.name}: {name}", link(path, **query)
        if further := NEXT.search(filled.browser.get(link(path)).text):
            yield f"list {state.box} {state.name}: the 2nd", html.unescape(further[1])


def _messages(filled: Filled) -> Addresses:
    for box, state, first, last in spans(filled.case, filled.rows):
        message_id = _message_id((first + last) // 2)
        yield f"message and chain {box} {state}", link("/message", box=box, message_id=message_id)


def _actions(filled: Filled) -> Addresses:
    middles = {span[:2]: sum(span[2:]) // 2 for span in spans(filled.case, filled.rows)}
    for state in filter(lambda one: one.is_open, STATES):
        queries = dict(_queries(state, filled.rows, COUNTED))
        if middle := middles.get((state.box, state.name)):
            queries["one message"] = {"message_id": _message_id(middle)}
        for action in ("retry", "discard"):
            place = {"action": action, "box": state.box, "state": state.name}
            for name, query in queries.items():
                asked = f"ask to {action} {state.box} {state.name}: {name}"
                yield asked, link("/action", **place, **query)


def _only(name: str) -> Callable[[Filled], Addresses]:
    return lambda _: iter([(name, link(f"/{name}"))])


ADDRESSES: dict[str, Callable[[Filled], Addresses]] = {
    "/ops/static/{name}": _static,
    "/ops/login": _only("login"),
    "/ops": _overview,
    "/ops/message": _messages,
    "/ops/action": _actions,
    "/ops/subscriptions": _only("subscriptions"),
    "/ops/flow": _only("flow"),
    "/ops/{box}/{state}": _lists,
}


def _queries(
    state: State, rows: int, names: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the form of a list sends; that of the outbox has no consumers."""
    known = filters(rows)
    for name in names:
        if state.box == "inbox" or known[name].consumer is None:
            yield name, _form(known[name])


def _form(wanted: MessageFilter) -> dict[str, Any]:
    given = {name: getattr(wanted, name) for name in FIELDS}
    return {name: value for name, value in given.items() if value is not None}


def _message_id(number: int) -> str:
    return f"{number:08x}-0000-7000-8000-000000000000"
