"""operations

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replica_minutes",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replica", sa.String(length=36), nullable=False),
        sa.Column("published", sa.Integer(), server_default="0", nullable=False),
        sa.Column("handled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("dead", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("minute", "replica"),
    )
    op.create_table(
        "replicas",
        sa.Column("replica", sa.String(length=36), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("environment", sa.String(length=50), nullable=True),
        sa.Column("consumers", sa.JSON(), nullable=True),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("replica"),
    )
    with op.batch_alter_table("replicas", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_replicas_seen_at"), ["seen_at"], unique=False)

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("correlation_id", sa.String(length=512), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_inbox_correlation_id"), ["correlation_id"], unique=False
        )
        batch_op.add_column(sa.Column("environment", sa.String(length=50), nullable=True))

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("correlation_id", sa.String(length=512), nullable=True))

    with op.batch_alter_table("outbox_published", schema=None) as batch_op:
        batch_op.add_column(sa.Column("correlation_id", sa.String(length=512), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_outbox_published_correlation_id"), ["correlation_id"], unique=False
        )

    # Dead letters are listed by the time at which they were given up.
    op.execute("UPDATE inbox SET handled_at = received_at WHERE state = 'dead'")


def downgrade() -> None:
    with op.batch_alter_table("outbox_published", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_published_correlation_id"))
        batch_op.drop_column("correlation_id")

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("correlation_id")

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_column("environment")
        batch_op.drop_index(batch_op.f("ix_inbox_correlation_id"))
        batch_op.drop_column("correlation_id")

    with op.batch_alter_table("replicas", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_replicas_seen_at"))

    op.drop_table("replicas")
    op.drop_table("replica_minutes")
