"""Look up copies by their keeper.

Without the index every run read the whole table of faces, once for each character.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    copies = sa.text("keeper_id IS NOT NULL")
    op.create_index(
        "ix_face_keeper_id",
        "face",
        ["keeper_id"],
        sqlite_where=copies,
        postgresql_where=copies,
    )
