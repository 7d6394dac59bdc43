"""How sharp the edges of a face are, and its real resolution.

Faces of earlier versions keep NULL, and their decisions, until `icf-filter measure`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns; both databases do so without copying the table."""
    op.add_column("face", sa.Column("edge_sharpness", sa.Double()))
    op.add_column("face", sa.Column("resolution", sa.Double()))
