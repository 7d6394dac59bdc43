"""The labels that an audit is about, when it ended, and the test of a release."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("label_audit", sa.Column("labels", sa.LargeBinary()))
    op.add_column("label_audit", sa.Column("ended_at", sa.Double()))
    op.add_column("label_audit_answer", sa.Column("file", sa.Text()))
    op.add_column("release", sa.Column("test_faces", sa.LargeBinary()))
