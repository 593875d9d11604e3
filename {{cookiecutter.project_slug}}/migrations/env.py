"""Alembic's way into the service's database and tables."""

import asyncio
import sys
from contextlib import aclosing
from typing import Any

from alembic import context
from sqlalchemy import Connection, TypeDecorator
from sqlmodel import SQLModel

# Importing the features and the machinery's tables fills SQLModel.metadata.
from app.building_blocks.databases.unusable import UNUSABLE, why_unusable
from app.building_blocks.errors import ConfigurationError
from app.building_blocks.feature_folders import import_features
from app.building_blocks.inbox import table as inbox_table  # noqa: F401
from app.building_blocks.operations import replica_table  # noqa: F401
from app.building_blocks.outbox import table as outbox_table  # noqa: F401
from app.database import open_database
from app.features import FEATURES
from app.settings import load_settings


def plain_type(kind: str, item: Any, autogen_context: Any) -> Any:
    """Write a type of the application's as the type below it: migrations import no app code."""
    is_ours = kind == "type" and isinstance(item, TypeDecorator)
    return f"sa.{item.impl_instance!r}" if is_ours else False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        render_item=plain_type,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    import_features(FEATURES)
    database = open_database(load_settings().database_url)
    connection = database.writer.connect()
    try:
        await connection.start()
    except UNUSABLE as error:
        # Only here: what is wrong with a migration comes with its trace.
        raise ConfigurationError(why_unusable(database.url, error)) from None
    async with aclosing(connection):
        await connection.run_sync(migrate)
        await connection.commit()
    await database.dispose()


try:
    asyncio.run(main())
except ConfigurationError as error:
    sys.exit(str(error))
