"""The lists of messages, one for each state."""

from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import Response

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.search import SEARCHED
from app.building_blocks.operations.states import STATES
from app.building_blocks.ops.filter_form import FilterForm, known_state
from app.building_blocks.ops.results import result_of
from app.building_blocks.ops.views import Views, clock
from app.building_blocks.ops.visit import RefusedError, Visit


class Known(NamedTuple):
    """What the wiring knows, to choose from in the filter."""

    topics: tuple[str, ...]
    consumers: tuple[str, ...]


class Lists:
    """A page of messages that fit a filter, and the way to the next."""

    def __init__(
        self,
        views: Views,
        database: Database,
        messages: Messages,
        known: Known,
        hidden: tuple[str, ...],
    ) -> None:
        self._views, self._database, self._messages = views, database, messages
        self._known, self._hidden = known, hidden

    async def show(self, visit: Visit) -> Response:
        state = known_state(visit.request.path_params["box"], visit.request.path_params["state"])
        form = FilterForm.read(visit.query, self._hidden)
        after = visit.query.get("after")
        try:
            page = await self._messages.page(state, form.wanted, after)
        except ValueError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}.") from error
        return self._views.page(
            visit,
            "list.html",
            now=await clock(self._database),
            state=state,
            states=[one for one in STATES if one.box == state.box],
            form=form,
            after=after,
            page=page,
            searched=SEARCHED,
            known=self._known,
            hidden=self._hidden,
            done=result_of(visit.query),
        )
