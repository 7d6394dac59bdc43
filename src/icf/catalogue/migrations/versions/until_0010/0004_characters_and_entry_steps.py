"""Two characters of a face, and the steps at which rows enter the filter's chain.

The old column was the first candidate until identity judged the face, and identity's
choice afterwards. It becomes ``filed_under_id``; ``character_id`` is new and NULL until
identity has chosen. Both databases rename a column without copying the table.

``entry_step`` holds what the core knew by itself before; the filter writes it from now
on, each time it runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: The character that a new face of the picture is filed under: one whose page the
#: picture leads, else the oldest; of merged characters the one that stands for them.
_FIRST = """(
    SELECT COALESCE(c.merged_into, c.id)
    FROM candidate JOIN "character" AS c ON c.id = candidate.character_id
    WHERE candidate.image_id = face.image_id
    ORDER BY candidate.is_lead DESC, candidate.character_id LIMIT 1
)"""

#: Identity writes the probability with its choice. A face that waits for identity again
#: has lost it, but still is under the character that the ledger says was chosen.
_CHOSEN = f"""probability IS NOT NULL OR (
    filed_under_id <> {_FIRST} AND EXISTS (
        SELECT 1 FROM decision
        WHERE decision.subject = 'face' AND decision.subject_id = face.id
        AND decision.step = 'identity' AND decision.value IS NOT NULL
    )
)"""


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_face_awaits_character_id", "face")
    op.drop_index("ix_face_character_id", "face")
    op.execute("ALTER TABLE face RENAME COLUMN character_id TO filed_under_id")
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute(
            "ALTER TABLE face RENAME CONSTRAINT fk_face_character_id"
            " TO fk_face_filed_under_id"
        )
    # Written out: SQLite takes a foreign key only together with its column.
    key = "BIGINT" if postgres else "INTEGER"
    op.execute(
        f"ALTER TABLE face ADD COLUMN character_id {key} "
        'CONSTRAINT fk_face_character_id REFERENCES "character" (id)'
    )
    op.execute(f"UPDATE face SET character_id = filed_under_id WHERE {_CHOSEN}")
    op.execute(
        f"UPDATE face SET filed_under_id = COALESCE({_FIRST}, filed_under_id)"
        " WHERE character_id IS NOT NULL"
    )
    op.create_index("ix_face_character_id", "face", ["character_id", "verdict"])
    op.create_index("ix_face_filed_under_id", "face", ["filed_under_id"])
    _create_entry_step()


def _create_entry_step() -> None:
    entry_step = op.create_table(
        "entry_step",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_entry_step")),
    )
    op.bulk_insert(
        entry_step,
        [
            {"entry": "new_image", "step": "detect"},
            {"entry": "chosen_face", "step": "embed"},
            {"entry": "cleared_reference", "step": "reference"},
            {"entry": "changed_reference", "step": "identity"},
        ],
    )
