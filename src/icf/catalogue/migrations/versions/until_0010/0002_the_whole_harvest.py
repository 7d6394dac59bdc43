"""What the whole harvest keeps: versions, casts, frames, face links, tombstones."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _add("character", sa.Column("gender", sa.Text(), nullable=True))
    _add("character", sa.Column("reference_image_id", _KEY, nullable=True))
    _add(
        "discovery",
        sa.Column("level", sa.Text(), nullable=False, server_default="images"),
    )
    _add(
        "discovery",
        sa.Column("passed_over", sa.Integer(), nullable=False, server_default="0"),
    )
    _add("discovery", sa.Column("first_cursor", sa.Text(), nullable=True))
    op.create_index("ix_discovery_album_id", "discovery", ["album_id"])
    op.create_index("ix_discovery_character_id", "discovery", ["character_id"])
    for table in ("url", "image_source"):
        _add(table, sa.Column("seconds", sa.Double(), nullable=True))
        _add(table, sa.Column("shot", sa.Integer(), nullable=True))
        _add(table, sa.Column("tracks", sa.Text(), nullable=True))
    _add("url", sa.Column("version", sa.Text(), nullable=True))
    # Written out: SQLite takes a foreign key only together with its column, and a table
    # that others refer to cannot be copied.
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE url ADD COLUMN album_id {key} "
        "CONSTRAINT fk_url_album_id REFERENCES album (id)"
    )
    op.create_index("ix_url_album_id", "url", ["album_id"])
    is_lent = sa.text("leased_until > 0")
    op.create_index(
        "ix_url_leased_until",
        "url",
        ["leased_until"],
        sqlite_where=is_lent,
        postgresql_where=is_lent,
    )
    are_frames = sa.text("seconds IS NOT NULL")
    op.create_index(
        "ix_url_frames",
        "url",
        ["id"],
        sqlite_where=are_frames,
        postgresql_where=are_frames,
    )
    op.create_table(
        "face_link",
        sa.Column("face_id", _KEY, nullable=False),
        sa.Column("other_id", _KEY, nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_id"], ["face.id"], name=op.f("fk_face_link_face_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["face.id"], name=op.f("fk_face_link_other_id")
        ),
        sa.PrimaryKeyConstraint("face_id", "other_id", name=op.f("pk_face_link")),
    )
    op.create_index("ix_face_link_other_id", "face_link", ["other_id"])
    op.create_table(
        "tombstone",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_tombstone_kind_subject")),
    )


def _add(table: str, column: "sa.Column[object]") -> None:
    op.add_column(table, column)
