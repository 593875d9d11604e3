"""A message's page: all that is known of it, and what it is a part of."""

from http import HTTPStatus

from starlette.responses import Response

from app.building_blocks.databases.database import Database
from app.building_blocks.operations.messages import LONGEST_CHAIN, Messages
from app.building_blocks.ops.chain_graph import chain_graph
from app.building_blocks.ops.filter_form import known_state
from app.building_blocks.ops.results import result_of
from app.building_blocks.ops.views import Views, clock
from app.building_blocks.ops.visit import RefusedError, Visit


class MessagePage:
    """Looks for the message in every state of its box."""

    def __init__(self, views: Views, database: Database, messages: Messages) -> None:
        self._views, self._database, self._messages = views, database, messages

    async def show(self, visit: Visit) -> Response:
        get = visit.query.get
        box, message_id, consumer = get("box", ""), get("message_id", ""), get("consumer")
        message = await self._messages.find(box, message_id, consumer or None)
        if message is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND,
                "There is no such message. It may have been discarded, or done and deleted since.",
            )
        chain = await self._messages.chain(message.correlation_id)
        return self._views.page(
            visit,
            "message.html",
            now=await clock(self._database),
            message=message,
            is_open=known_state(message.box, message.state).is_open,
            chain=chain,
            is_cut=len(chain) >= LONGEST_CHAIN,
            graph=chain_graph(chain, message),
            done=result_of(visit.query),
        )
