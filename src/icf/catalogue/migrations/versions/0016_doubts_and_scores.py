"""When a label was doubted, and from when on a person's score counts."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("question", sa.Column("doubted_at", sa.Double(), nullable=True))
    op.add_column("person", sa.Column("scored_from", sa.Double(), nullable=True))
