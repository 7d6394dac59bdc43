"""Answers that people take back, and questions asked again against another reference.

An answer that its person changed later stays, with the time when it was replaced; one
of each person counts. A face may be asked about again where the reference that it was
compared with was wrong.

SQLite drops no constraint, so both tables are copied there; nothing else refers to
``answer``, and only ``answer`` refers to ``question``.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNIQUE = "uq_question_face_id_character_id_reference_face_id"
_ASKED_ONCE = ["face_id", "character_id", "reference_face_id"]
_COUNTS = sa.text("replaced_at IS NULL")


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "sqlite":
        _copy_tables()
    else:
        _alter_tables()
    op.create_index("ix_question_reference_face_id", "question", ["reference_face_id"])
    op.create_index("ix_answer_question_id", "answer", ["question_id"])
    op.create_index(
        "ix_answer_question_id_annotator",
        "answer",
        ["question_id", "annotator"],
        unique=True,
        sqlite_where=_COUNTS,
        postgresql_where=_COUNTS,
    )


def _alter_tables() -> None:
    op.drop_constraint("uq_question_face_id_character_id", "question", type_="unique")
    op.create_unique_constraint(_UNIQUE, "question", _ASKED_ONCE)
    op.drop_constraint("uq_answer_question_id_annotator", "answer", type_="unique")
    op.add_column("answer", sa.Column("file_sha256", sa.String(64), nullable=True))
    op.add_column("answer", sa.Column("replaced_at", sa.Double(), nullable=True))


def _copy_tables() -> None:
    op.execute("CREATE TEMPORARY TABLE answer_kept AS SELECT * FROM answer")
    op.execute("CREATE TEMPORARY TABLE question_kept AS SELECT * FROM question")
    op.drop_table("answer")
    op.drop_table("question")
    op.create_table(
        "question",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("face_id", _KEY, nullable=False),
        sa.Column("character_id", _KEY, nullable=False),
        sa.Column("reference_face_id", _KEY, nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=True),
        sa.Column("inclusion", sa.Double(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        _refers("question", "batch_id", "batch"),
        _refers("question", "character_id", "character"),
        _refers("question", "face_id", "face"),
        _refers("question", "reference_face_id", "face"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint(*_ASKED_ONCE, name=op.f(_UNIQUE)),
    )
    op.create_index("ix_question_batch_id", "question", ["batch_id"])
    op.create_index("ix_question_label", "question", ["label", "character_id"])
    op.create_table(
        "answer",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("question_id", _KEY, nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("imported_at", sa.Double(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("file_sha256", sa.String(64), nullable=True),
        sa.Column("replaced_at", sa.Double(), nullable=True),
        _refers("answer", "question_id", "question"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.execute(
        "INSERT INTO question SELECT id, face_id, character_id, reference_face_id, "
        "batch_id, label, asked_at, chosen, inclusion, probability FROM question_kept"
    )
    op.execute(
        "INSERT INTO answer SELECT id, question_id, annotator, choice, answered_at, "
        "imported_at, file, line, NULL, NULL FROM answer_kept"
    )
    op.execute("DROP TABLE answer_kept")
    op.execute("DROP TABLE question_kept")


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name)
