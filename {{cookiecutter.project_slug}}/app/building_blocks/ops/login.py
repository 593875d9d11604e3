"""Logging in and out."""

from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from starlette.responses import RedirectResponse, Response

from app.building_blocks.ops.access import Access
from app.building_blocks.ops.home import HOME
from app.building_blocks.ops.views import Views
from app.building_blocks.ops.visit import RefusedError, Visit


class Login:
    """The one page that everybody may see."""

    def __init__(self, views: Views, access: Access) -> None:
        self._views, self._access = views, access

    async def show(self, visit: Visit) -> Response:
        return self._views.page(
            visit, "login.html", goes_to=_safe(visit.query.get("next")), says=""
        )

    async def enter(self, visit: Visit) -> Response:
        """To the page that was asked for, with a session; or the form again."""
        goes_to = _safe(visit.form.get("next"))
        try:
            self._access.check(visit.form.get("token", ""), visit.address)
        except RefusedError as no:
            return self._views.page(
                visit, "login.html", no.status, no.headers, goes_to=goes_to, says=no.says
            )
        response = RedirectResponse(goes_to, HTTPStatus.SEE_OTHER)
        self._access.let_in(visit.request, response)
        return response

    async def leave(self, visit: Visit) -> Response:
        response = RedirectResponse(f"{HOME}/login", HTTPStatus.SEE_OTHER)
        self._access.let_out(visit.request, response)
        return response


def _safe(wanted: str | None) -> str:
    """`wanted` if it is one of the operator pages, whose address no other site can make up."""
    try:
        parts = urlsplit(wanted or HOME)
    except ValueError:
        return HOME
    is_ours = parts.path == HOME or parts.path.startswith(f"{HOME}/")
    path = unquote(parts.path)
    leads_away = ".." in path or "\\" in path
    if parts.scheme or parts.netloc or leads_away or not is_ours:
        return HOME
    return parts._replace(fragment="").geturl()
