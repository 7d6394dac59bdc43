"""What the hosts of pictures say against training on them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("image_source", sa.Column("reserved", sa.Text))
