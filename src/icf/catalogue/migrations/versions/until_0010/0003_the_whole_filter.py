"""What the whole filter keeps: more measures, hashes in hex, reviews, calibrations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _add("image", sa.Column("photo", sa.Double(), nullable=True))
    _add("image", sa.Column("photo_model", sa.String(64), nullable=True))
    _add("image", sa.Column("keeper_id", _KEY, nullable=True))
    op.create_index("ix_image_pixel_hash", "image", ["pixel_hash"])
    for name in ("sharpness_paper", "brightness", "contrast"):
        _add("face", sa.Column(name, sa.Double(), nullable=True))
    _add("character", sa.Column("merged_into", _KEY, nullable=True))
    for name in ("phash", "dhash"):
        _to_hex("image", name, nullable=True)
        _to_hex("face", name, nullable=False)
    _create_review()
    _create_calibration()


def _add(table: str, column: "sa.Column[object]") -> None:
    op.add_column(table, column)


def _to_hex(table: str, column: str, *, nullable: bool) -> None:
    """Turn signed 64-bit integers into 16 hex digits."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR(16) "
            f"USING lpad(to_hex({column}), 16, '0')"
        )
        return
    # SQLite changes no type; the integers move to a new column of the old name.
    rule = "" if nullable else "NOT NULL DEFAULT ''"
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_number")
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR(16) {rule}")
    op.execute(
        f"UPDATE {table} SET {column} = printf('%016x', {column}_number) "
        f"WHERE {column}_number IS NOT NULL"
    )
    op.execute(f"ALTER TABLE {table} DROP COLUMN {column}_number")


def _create_review() -> None:
    op.create_table(
        "review",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("character_id", _KEY, nullable=False),
        sa.Column("face_id", _KEY, nullable=False),
        sa.Column("other_character_id", _KEY, nullable=True),
        sa.Column("other_face_id", _KEY, nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("similarity", sa.Double(), nullable=True),
        sa.Column("phash_bits", sa.Integer(), nullable=True),
        sa.Column("dhash_bits", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(64), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("found_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        _refers("review", "character_id", "character"),
        _refers("review", "face_id", "face"),
        _refers("review", "other_character_id", "character"),
        _refers("review", "other_face_id", "face"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint(
            "kind",
            "face_id",
            "character_id",
            "other_face_id",
            name=op.f("uq_review_kind_face_id_character_id_other_face_id"),
        ),
    )
    op.create_index("ix_review_status", "review", ["status", "kind", "id"])
    op.create_index("ix_review_character_id", "review", ["character_id"])
    op.create_index("ix_review_other_face_id", "review", ["other_face_id"])


def _create_calibration() -> None:
    op.create_table(
        "calibration",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("error", sa.Double(), nullable=False),
        sa.Column("run_id", _KEY, nullable=False),
        sa.Column("fitted_at", sa.Double(), nullable=False),
        _refers("calibration", "run_id", "run"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration")),
    )
    op.create_index("ix_calibration_model", "calibration", ["model", "id"])


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)
