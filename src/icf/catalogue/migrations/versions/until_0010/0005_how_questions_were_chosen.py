"""How each question was chosen, and with what probability.

Of the questions of earlier versions neither is known: they keep NULL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns; both databases do so without copying the table."""
    op.add_column("question", sa.Column("chosen", sa.Text()))
    op.add_column("question", sa.Column("inclusion", sa.Double()))
    op.add_column("question", sa.Column("probability", sa.Double()))
