"""A start that fails says why in sentences, not in a stack trace."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.building_blocks.errors import ConfigurationError


class ReadableStartup:
    """ASGI middleware: a ConfigurationError during start-up reaches the server's log as text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold_failure(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                held.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold_failure)
        except ConfigurationError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        except BaseException:
            for message in held:
                await send(message)
            raise
