"""The service's messages, opened for one command."""

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from app.building_blocks.command_line.exits import DATABASE, CommandError
from app.building_blocks.databases.database import Database
from app.building_blocks.databases.migrations import Migrations
from app.building_blocks.databases.unusable import UNUSABLE, why_unusable
from app.building_blocks.operations.actions import Actions
from app.building_blocks.operations.messages import Messages
from app.building_blocks.operations.secret import Secrets
from app.building_blocks.wake_up import WakeUp
from app.building_blocks.wiring import Wiring

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """What a command works with."""

    database: Database
    secrets: Secrets

    @property
    def messages(self) -> Messages:
        return Messages(self.database, self.secrets)

    @property
    def actions(self) -> Actions:
        # Whoever publishes and retries is in another process.
        return Actions(self.database, WakeUp(), WakeUp())


Open = Callable[[], Opened]


def run(opened: Opened, work: Callable[[Opened], Awaitable[T]]) -> T:
    """Do `work` and close. Raises CommandError when the database cannot be used."""
    return asyncio.run(_run(opened, work))


async def _run(opened: Opened, work: Callable[[Opened], Awaitable[T]]) -> T:
    try:
        if problem := await Migrations(opened.database).problem():
            raise CommandError(DATABASE, problem)
        return await work(opened)
    except UNUSABLE as error:
        raise CommandError(DATABASE, why_unusable(opened.database.url, error)) from None
    finally:
        await opened.database.dispose()


def secrets_of(wiring: Wiring) -> Secrets:
    """Of every event that is published or handled."""
    handled = [subscription.event for subscription in wiring.subscriptions]
    return Secrets([*wiring.published, *handled])


def operator() -> str:
    """Who is at the command line, for the audit line."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run as a user who has no name.
        user = "somebody"
    return f"command line, {user}@{socket.gethostname()}"
