"""Aliases of models, the gate, what is set aside for it, and the state of rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "gate",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("champion", sa.String(length=64), nullable=False),
        sa.Column("challenger", sa.String(length=64), nullable=False),
        sa.Column("round_id", key, nullable=True),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["round.id"], name=op.f("fk_gate_round_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate")),
    )
    op.create_table(
        "model_alias",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("moved_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("gate_id", key, nullable=True),
        sa.Column("moved_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["gate_id"], ["gate.id"], name=op.f("fk_model_alias_gate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_alias")),
    )
    op.create_index(
        "ix_model_alias_task", "model_alias", ["task", "alias", "id"], unique=False
    )
    op.create_table(
        "audit_item",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", key, autoincrement=False, nullable=False),
        sa.Column("set_aside_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_audit_item")),
    )
    op.add_column("round", sa.Column("summary", sa.Text()))
    op.add_column("run", sa.Column("round_id", key))
    op.add_column("model", sa.Column("added_by", sa.Text()))
