"""`/ops`: the operator pages of one service, put together."""

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.ops.access import Access
from app.building_blocks.ops.action_pages import ActionPages
from app.building_blocks.ops.assets import Assets
from app.building_blocks.ops.guard import Guard
from app.building_blocks.ops.home import HOME
from app.building_blocks.ops.lists import Known, Lists
from app.building_blocks.ops.login import Login
from app.building_blocks.ops.logins import Logins
from app.building_blocks.ops.message_page import MessagePage
from app.building_blocks.ops.overview import Overview
from app.building_blocks.ops.sessions import Sessions
from app.building_blocks.ops.views import Views
from app.building_blocks.ops.visit import Handler, RefusedError, Visit
from app.building_blocks.ops.wiring_pages import WiringPages
from app.building_blocks.retry_policy import RetryPolicy
from app.building_blocks.wake_up import WakeUp
from app.building_blocks.wiring import Wiring


def ops_router(
    token: SecretStr,
    service: str,
    database: Database,
    wiring: Wiring,
    retry_policy: RetryPolicy,
    *,
    publishing: WakeUp,
    retrying: WakeUp,
) -> APIRouter:
    """The pages for whoever knows `token`.

    `publishing` and `retrying` wake those who do what an operator asked for.
    """
    router = APIRouter()
    secrets = Secrets([*wiring.published, *(one.event for one in wiring.subscriptions)])
    messages, actions = Messages(database, secrets), Actions(database, publishing, retrying)
    assets = Assets()
    views = Views(service, assets.url)
    access = Access(token.get_secret_value(), Sessions(token.get_secret_value()), Logins())
    guard, login = Guard(access, database, views), Login(views, access)
    facts = WiringPages(views, service, wiring, retry_policy)
    acting = ActionPages(views, messages, actions, secrets.topics)
    lists = Lists(views, database, messages, _known(service, wiring), secrets.topics)

    def add(path: str, handler: Handler, method: str = "GET", *, is_open: bool = False) -> None:
        endpoint = guard.before(handler, is_open=is_open)
        router.add_route(HOME + path, endpoint, [method], include_in_schema=False)

    add("/static/{name}", assets.serve, is_open=True)
    add("/login", login.show, is_open=True)
    add("/login", login.enter, "POST", is_open=True)
    add("/logout", login.leave, "POST")
    add("", Overview(views, database).show)
    add("/message", MessagePage(views, database, messages).show)
    add("/action", acting.ask)
    add("/action", acting.act, "POST")
    add("/subscriptions", facts.subscriptions)
    add("/flow", facts.flow)
    add("/{box}/{state}", lists.show)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        add("", _nothing, method)
        add("/{rest:path}", _nothing, method)
    return router


async def _nothing(visit: Visit) -> Response:
    """Raises RefusedError for every path but `/ops/`."""
    if visit.request.path_params.get("rest") == "":
        return RedirectResponse(HOME, HTTPStatus.PERMANENT_REDIRECT)
    raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such page.")


def _known(service: str, wiring: Wiring) -> Known:
    events = [*wiring.published, *(one.event for one in wiring.subscriptions)]
    return Known(
        tuple(sorted({event.topic for event in events})),
        tuple(sorted(f"{service}.{one.name}" for one in wiring.subscriptions)),
    )
