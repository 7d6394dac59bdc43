"""What searches over the whole catalogue have seen: nothing yet."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "looked_at",
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("subject_id", key, autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("search", "subject_id", name=op.f("pk_looked_at")),
    )
