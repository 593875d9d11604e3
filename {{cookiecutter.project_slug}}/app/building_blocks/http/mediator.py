"""How a route gets at the mediator: `mediator: HttpMediator`."""

from typing import Annotated

from fastapi import Depends, Request

from app.building_blocks.mediator import Mediator


async def _mediator(request: Request) -> Mediator:
    mediator: Mediator = request.app.state.mediator
    return mediator


HttpMediator = Annotated[Mediator, Depends(_mediator)]
