"""The outbox tables: what waits to be published, and what was.

Published rows move to a table of their own, so that the one that publishers search stays small
however long the history is kept.
"""

from sqlalchemy import JSON, BigInteger, Column, DateTime, Index, Integer, String, Table, Text
from sqlmodel import SQLModel

WAITING = "waiting"
DEAD = "dead"

outbox = Table(
    "outbox",
    SQLModel.metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=True),
    Column("message_id", String(36), nullable=False, unique=True),
    Column("topic", String(255), nullable=False),
    Column("key", String(255)),
    Column("correlation_id", String(512)),
    Column("headers", JSON),
    Column("payload", Text, nullable=False),
    Column("created_at", DateTime(timezone=True)),
    # Not before this time; NULL is at once.
    Column("available_at", DateTime(timezone=True)),
    Column("state", String(10), nullable=False, server_default=WAITING),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    # In no index: every row is claimed once, and a claim is to write to the row alone.
    Column("claim_token", String(36)),
    Column("claimed_until", DateTime(timezone=True)),
    Index("ix_outbox_state_position", "state", "position"),
    Index("ix_outbox_key_position", "key", "position"),
    Index("ix_outbox_available_at", "available_at"),
)

published = Table(
    "outbox_published",
    SQLModel.metadata,
    # Not the position of the waiting row: once emptied, a table may count from 1 again.
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("message_id", String(36), nullable=False, index=True),
    Column("topic", String(255), nullable=False),
    Column("key", String(255)),
    Column("correlation_id", String(512), index=True),
    Column("headers", JSON),
    Column("payload", Text, nullable=False),
    Column("created_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    Index("ix_outbox_published_published_at", "published_at"),
)

MOVED = (
    "message_id", "topic", "key", "correlation_id", "headers", "payload", "created_at", "attempts",
)  # fmt: skip
"""The columns that a row takes along when it is published."""
