"""People and what they hold; gold, boxes, attributes, audits of labels."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "label_audit",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("max_error", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("labels_sha256", sa.String(length=64), nullable=False),
        sa.Column("planned_at", sa.Double(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certified_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_audit")),
    )
    op.create_table(
        "person",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("preferences", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.Double(), nullable=True),
        sa.Column("paused_why", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_person_pseudonym")),
    )
    op.create_table(
        "skill",
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("same_right", sa.Double(), nullable=False),
        sa.Column("same_wrong", sa.Double(), nullable=False),
        sa.Column("different_right", sa.Double(), nullable=False),
        sa.Column("different_wrong", sa.Double(), nullable=False),
        sa.Column("fitted_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("annotator", name=op.f("pk_skill")),
    )
    op.create_table(
        "box_answer",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("image_id", key, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("boxes", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("decides", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("replaced_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["image_id"], ["image.id"], name=op.f("fk_box_answer_image_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_answer")),
        sa.UniqueConstraint("client_id", name=op.f("uq_box_answer_client_id")),
    )
    op.create_index(
        "ix_box_answer_image_id",
        "box_answer",
        ["image_id", "annotator"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "box_task",
        sa.Column("image_id", key, autoincrement=False, nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("disagreement", sa.Double(), nullable=True),
        sa.Column("people", sa.Integer(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["image.id"], name=op.f("fk_box_task_image_id")
        ),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_box_task")),
    )
    op.create_index(
        "ix_box_task_status", "box_task", ["status", "image_id"], unique=False
    )
    op.create_table(
        "invite",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("person_id", key, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_invite_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invite_token_hash")),
    )
    op.create_table(
        "lease",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("handle", sa.String(length=32), nullable=False),
        sa.Column("person_id", key, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject_id", key, nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("grid", sa.String(length=32), nullable=True),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_lease_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        sa.UniqueConstraint("handle", name=op.f("uq_lease_handle")),
    )
    op.create_index(
        "ix_lease_held",
        "lease",
        ["source", "subject_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_lease_person_id", "lease", ["person_id", "id"], unique=False)
    op.create_table(
        "page_session",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("person_id", key, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("begun_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_page_session_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_page_session_token_hash")),
    )
    op.create_index(
        "ix_page_session_person_id", "page_session", ["person_id"], unique=False
    )
    op.create_table(
        "verified_box",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("image_id", key, nullable=False),
        sa.Column("x1", sa.Double(), nullable=False),
        sa.Column("y1", sa.Double(), nullable=False),
        sa.Column("x2", sa.Double(), nullable=False),
        sa.Column("y2", sa.Double(), nullable=False),
        sa.Column("face_id", key, nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("disagreement", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["image.id"], name=op.f("fk_verified_box_image_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verified_box")),
    )
    op.create_index(
        "ix_verified_box_image_id", "verified_box", ["image_id"], unique=False
    )
    op.create_table(
        "attribute_answer",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("face_id", key, nullable=False),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("yaw", sa.Double(), nullable=True),
        sa.Column("pitch", sa.Double(), nullable=True),
        sa.Column("roll", sa.Double(), nullable=True),
        sa.Column("occlusion", sa.Text(), nullable=True),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("replaced_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["face_id"], ["face.id"], name=op.f("fk_attribute_answer_face_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute_answer")),
        sa.UniqueConstraint("client_id", name=op.f("uq_attribute_answer_client_id")),
    )
    op.create_index(
        "ix_attribute_answer_face_id",
        "attribute_answer",
        ["face_id", "annotator"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "gold",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("face_id", key, nullable=False),
        sa.Column("character_id", key, nullable=False),
        sa.Column("reference_face_id", key, nullable=False),
        sa.Column("truth", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("retired_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["character_id"], ["character.id"], name=op.f("fk_gold_character_id")
        ),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_gold_face_id")),
        sa.ForeignKeyConstraint(
            ["reference_face_id"], ["face.id"], name=op.f("fk_gold_reference_face_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold")),
        sa.UniqueConstraint(
            "face_id",
            "character_id",
            "reference_face_id",
            name=op.f("uq_gold_face_id_character_id_reference_face_id"),
        ),
    )
    op.create_table(
        "label_audit_item",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("audit_id", key, nullable=False),
        sa.Column("face_id", key, nullable=False),
        sa.Column("character_id", key, nullable=False),
        sa.Column("reference_face_id", key, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["label_audit.id"], name=op.f("fk_label_audit_item_audit_id")
        ),
        sa.ForeignKeyConstraint(
            ["character_id"],
            ["character.id"],
            name=op.f("fk_label_audit_item_character_id"),
        ),
        sa.ForeignKeyConstraint(
            ["face_id"], ["face.id"], name=op.f("fk_label_audit_item_face_id")
        ),
        sa.ForeignKeyConstraint(
            ["reference_face_id"],
            ["face.id"],
            name=op.f("fk_label_audit_item_reference_face_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_audit_item")),
        sa.UniqueConstraint(
            "audit_id",
            "face_id",
            "character_id",
            name=op.f("uq_label_audit_item_audit_id_face_id_character_id"),
        ),
    )
    op.create_table(
        "gold_answer",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("gold_id", key, nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("replaced_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["gold_id"], ["gold.id"], name=op.f("fk_gold_answer_gold_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_answer")),
        sa.UniqueConstraint("client_id", name=op.f("uq_gold_answer_client_id")),
    )
    op.create_index(
        "ix_gold_answer_annotator", "gold_answer", ["annotator", "id"], unique=False
    )
    op.create_index(
        "ix_gold_answer_gold_id",
        "gold_answer",
        ["gold_id", "annotator"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "label_audit_answer",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("item_id", key, nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("decides", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("replaced_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["label_audit_item.id"],
            name=op.f("fk_label_audit_answer_item_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_audit_answer")),
        sa.UniqueConstraint("client_id", name=op.f("uq_label_audit_answer_client_id")),
    )
    op.create_index(
        "ix_label_audit_answer_item_id",
        "label_audit_answer",
        ["item_id", "annotator"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.add_column("answer", sa.Column("seconds", sa.Double(), nullable=True))
    op.add_column("answer", sa.Column("client_id", sa.Text(), nullable=True))
    op.add_column("answer", sa.Column("decides", sa.Boolean(), nullable=True))
    op.add_column("answer", sa.Column("waits", sa.Boolean(), nullable=True))
    op.create_index("ix_answer_annotator", "answer", ["annotator", "id"], unique=False)
    op.create_index(
        "ix_answer_client_id",
        "answer",
        ["client_id"],
        unique=True,
        sqlite_where=sa.text("client_id IS NOT NULL"),
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_index(
        "ix_answer_waits",
        "answer",
        ["id"],
        unique=False,
        sqlite_where=sa.text("waits"),
        postgresql_where=sa.text("waits"),
    )
    op.add_column("question", sa.Column("posterior", sa.Double(), nullable=True))
    op.create_index(
        "ix_question_open",
        "question",
        ["id"],
        unique=False,
        sqlite_where=sa.text("label = 'open'"),
        postgresql_where=sa.text("label = 'open'"),
    )
