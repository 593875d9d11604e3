"""What each process of this service tells of itself, for whoever looks at the whole."""

from sqlalchemy import JSON, Column, DateTime, Integer, String, Table
from sqlmodel import SQLModel

replicas = Table(
    "replicas",
    SQLModel.metadata,
    Column("replica", String(36), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("process", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False, index=True),
    # NULL is the default deployment.
    Column("environment", String(50)),
    Column("consumers", JSON),
    # The reasons why a part does not work, by its name; "" for one that does.
    Column("parts", JSON, nullable=False),
)

replica_minutes = Table(
    "replica_minutes",
    SQLModel.metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("replica", String(36), primary_key=True),
    Column("published", Integer, nullable=False, server_default="0"),
    Column("handled", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("dead", Integer, nullable=False, server_default="0"),
)
