"""Who an answer is from and what it is called in the tool that it comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("answer", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("answer", sa.Column("origin_id", sa.Text(), nullable=True))
    op.create_index("ix_answer_origin", "answer", ["origin", "id"], unique=False)
