"""Whether the database has the tables that this version of the service needs."""

import asyncio
from pathlib import Path

import structlog
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.building_blocks.databases.database import Database
from app.building_blocks.errors import ConfigurationError

log = structlog.get_logger(__name__)

# A database that does not even refuse must not hold up the start: probes are to be answered.
_LONGEST_LOOK_SECONDS = 5.0
_MIGRATIONS = Path(__file__).parents[3] / "migrations"


class Migrations:
    """Compares the revisions in the database with those in the folder `migrations`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        scripts = ScriptDirectory(str(_MIGRATIONS))
        self._wanted = set(scripts.get_heads())
        self._known = {script.revision for script in scripts.walk_revisions()}

    async def problem(self) -> str | None:
        """A sentence with the command to run, or None when every migration was applied.

        Raises what the driver raises when the database cannot be reached.
        """
        async with self._database.reader.connect() as connection:
            applied = set(await connection.run_sync(_applied))
        # One that this version does not know was made for the next, while that is rolled out.
        if applied == self._wanted or applied - self._known:
            return None
        state = f"is at {', '.join(sorted(applied))}" if applied else "has not been migrated"
        return (
            f"The database {state}, and this version of the service needs "
            f"{', '.join(sorted(self._wanted))}. Run: alembic upgrade head"
        )

    async def require(self) -> None:
        """Raise ConfigurationError when a migration is missing.

        A database that is away is no reason not to start: readiness tells of it until it is back.
        """
        try:
            async with asyncio.timeout(_LONGEST_LOOK_SECONDS):
                problem = await self.problem()
        except (DBAPIError, OSError) as error:
            log.warning("database is away", reason=str(error) or repr(error))
            return
        if problem:
            raise ConfigurationError(problem)


def _applied(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()
