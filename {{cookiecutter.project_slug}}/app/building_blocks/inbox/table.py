"""The inbox table: which consumer has handled which message, or will, or gave up."""

from sqlalchemy import JSON, Column, DateTime, Index, Integer, LargeBinary, String, Table, Text
from sqlmodel import SQLModel

HANDLED = "handled"
RETRYING = "retrying"
DEAD = "dead"
DISCARDED = "discarded"

inbox = Table(
    "inbox",
    SQLModel.metadata,
    Column("message_id", String(255), primary_key=True),
    Column("consumer", String(255), primary_key=True),
    Column("topic", String(255), nullable=False),
    Column("key", String(255)),
    Column("correlation_id", String(512), index=True),
    # NULL is the default deployment.
    Column("environment", String(50)),
    Column("headers", JSON, nullable=False),
    # Bytes, because what is malformed is kept as it came.
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    # When it was handled, given up or discarded.
    Column("handled_at", DateTime(timezone=True)),
    Column("next_attempt_at", DateTime(timezone=True)),
    Column("last_error", Text),
    Index("ix_inbox_state_next_attempt_at", "state", "next_attempt_at"),
    Index("ix_inbox_state_handled_at", "state", "handled_at"),
)
