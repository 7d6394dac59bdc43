"""When and why a release was revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("release", sa.Column("revoked_at", sa.Double(), nullable=True))
    op.add_column("release", sa.Column("revoked_because", sa.Text(), nullable=True))
