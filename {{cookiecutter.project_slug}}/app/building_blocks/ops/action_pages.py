"""Trying again and discarding: first a page that says what would happen, then the deed."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import RedirectResponse, Response

from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.states import State
from app.building_blocks.ops.filter_form import FIELDS, FilterForm, known_state
from app.building_blocks.ops.views import Views, link
from app.building_blocks.ops.visit import RefusedError, Visit

_ACTIONS = ("retry", "discard")


class ActionPages:
    """Of one message, or of all that fit a filter."""

    def __init__(
        self, views: Views, messages: Messages, actions: Actions, hidden: tuple[str, ...]
    ) -> None:
        self._views, self._messages, self._actions = views, messages, actions
        self._hidden = hidden

    async def ask(self, visit: Visit) -> Response:
        """How many there are, what would happen to them, and whether that is meant."""
        action, state, form = self._read(visit.query)
        return self._views.page(
            visit,
            "confirm.html",
            action=action,
            state=state,
            form=form,
            count=await self._messages.count(state, form.wanted),
        )

    async def act(self, visit: Visit) -> Response:
        """Do it, and go to where the result shows."""
        action, state, form = self._read(visit.form)
        if action == "discard" and visit.form.get("sure") != "yes":
            says = "Nothing was discarded: the box that says so was not ticked."
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, says)
        act = self._actions.retry if action == "retry" else self._actions.discard
        count = await act(state, form.wanted, by=f"ops page, {visit.address}")
        is_one, is_gone = "message_id" in form.values, state.box == "outbox" and action == "discard"
        if is_one and not is_gone:
            given = {name: form.values.get(name) for name in ("message_id", "consumer")}
            target = link("/message", box=state.box, **given, done=action, count=count)
        else:
            kept = {} if is_one else form.values
            target = link(f"/{state.box}/{state.name}", **kept, done=action, count=count)
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)

    def _read(self, given: Mapping[str, str]) -> tuple[str, State, FilterForm]:
        action = given.get("action", "")
        if action not in _ACTIONS:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no action {action!r}.")
        for name in FIELDS:
            if given.get(name) == "":
                # A program whose variable was empty does not mean every message.
                says = f"{name} is empty: leave it out, and messages with any {name} are meant."
                raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, says)
        state = known_state(given.get("box", ""), given.get("state", ""))
        if not state.is_open:
            says = f"What is {state.name} in the {state.box} is done: nothing can be changed."
            raise RefusedError(HTTPStatus.CONFLICT, says)
        return action, state, FilterForm.read(given, self._hidden)
