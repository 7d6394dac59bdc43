"""Second addresses of pictures, and which one the bytes came from."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns; both databases do so without copying the table."""
    op.add_column("url", sa.Column("fallbacks", sa.Text()))
    op.add_column(
        "url",
        sa.Column("address_no", sa.Integer(), nullable=False, server_default="0"),
    )
    op.add_column("image_source", sa.Column("fetched_from", sa.Text()))
