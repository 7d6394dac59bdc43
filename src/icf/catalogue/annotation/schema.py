"""The tables behind the annotation page: people, leases, gold, boxes, audits.

Questions and their answers are in `icf.catalogue.schema`. People are known by the name
that their answers have there, `answer.annotator`, whatever tool they used. Of all
tables of answers here the row without ``replaced_at`` counts, one a person and subject;
``client_id`` is the id that the browser gave an answer, so that an answer which is sent
twice is stored once.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import Key, metadata, ref, row_id, text, time, where


def _of_an_answer() -> list[sa.Column[Any]]:
    """What every table of answers has, but those of questions."""
    return [
        text("annotator"),
        # Seconds from when it was shown until it was answered.
        sa.Column("seconds", sa.Double),
        time("answered_at"),
        sa.Column("client_id", sa.Text, unique=True),
        sa.Column("replaced_at", sa.Double),
    ]


# --- people -----------------------------------------------------------------------

person = sa.Table(
    "person",
    metadata,
    row_id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    # "annotator", "reviewer" or "admin".
    text("role"),
    # What exports call the person instead of the name.
    sa.Column("pseudonym", sa.Text, nullable=False, unique=True),
    # JSON: keys and looks that the person chose.
    text("preferences", nullable=True),
    # Gets no questions since then, because the score on gold is too low, or by hand.
    sa.Column("paused_at", sa.Double),
    text("paused_why", nullable=True),
    # Answers to known pairs before then do not count for the score.
    sa.Column("scored_from", sa.Double),
    sa.Column("revoked_at", sa.Double),
    time("added_at"),
)

# Tokens are stored as keyed hashes only.
invite = sa.Table(
    "invite",
    metadata,
    row_id(),
    ref("person_id", "person.id"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    time("made_at"),
    time("expires_at"),
    sa.Column("revoked_at", sa.Double),
)

page_session = sa.Table(
    "page_session",
    metadata,
    row_id(),
    ref("person_id", "person.id"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    time("begun_at"),
    time("seen_at"),
    time("expires_at"),
    sa.Column("ended_at", sa.Double),
    sa.Index("ix_page_session_person_id", "person_id"),
)

# Who was shown what. A row is never deleted, so an answer that comes late, after the
# lease ran out, still finds what it is about.
lease = sa.Table(
    "lease",
    metadata,
    row_id(),
    # What the browser knows: random, and says nothing of the subject.
    sa.Column("handle", sa.String(32), nullable=False, unique=True),
    ref("person_id", "person.id"),
    # "question", "gold", "audit", "boxes", "attributes"; and an id in its table.
    text("source"),
    sa.Column("subject_id", Key, nullable=False),
    # The page that shows it: "pairs", "grid", "boxes", "attributes" or "review".
    text("task"),
    # Of the tiles of one grid: the same random text; of a suspicion: a mark of the
    # faces that are shown.
    sa.Column("grid", sa.String(32)),
    time("issued_at"),
    # Held for this person until then.
    time("until"),
    # When it was answered, given back or ran out.
    sa.Column("ended_at", sa.Double),
    sa.Index("ix_lease_held", "source", "subject_id", **where("ended_at IS NULL")),
    sa.Index("ix_lease_person_id", "person_id", "id"),
)

# --- gold -------------------------------------------------------------------------

# A pair whose answer is known: asked to see how well a person answers.
gold = sa.Table(
    "gold",
    metadata,
    row_id(),
    ref("face_id", "face.id"),
    ref("character_id", "character.id"),
    ref("reference_face_id", "face.id"),
    # icf.codes.Choice: true or false.
    text("truth"),
    # "confirmed" (from labels), "planted" (another character's face) or "hand".
    text("made_by"),
    time("made_at"),
    sa.Column("retired_at", sa.Double),
    sa.UniqueConstraint("face_id", "character_id", "reference_face_id"),
)

gold_answer = sa.Table(
    "gold_answer",
    metadata,
    row_id(),
    ref("gold_id", "gold.id"),
    # icf.codes.Choice
    text("choice"),
    *_of_an_answer(),
    sa.Index(
        "ix_gold_answer_gold_id",
        "gold_id",
        "annotator",
        unique=True,
        **where("replaced_at IS NULL"),
    ),
    sa.Index("ix_gold_answer_annotator", "annotator", "id"),
)

# How often a person is right, as the last fit of all answers has it: pseudo-counts of
# a Beta distribution for pictures of the same character, and of another one.
skill = sa.Table(
    "skill",
    metadata,
    sa.Column("annotator", sa.Text, primary_key=True),
    sa.Column("same_right", sa.Double, nullable=False),
    sa.Column("same_wrong", sa.Double, nullable=False),
    sa.Column("different_right", sa.Double, nullable=False),
    sa.Column("different_wrong", sa.Double, nullable=False),
    time("fitted_at"),
)

# --- boxes ------------------------------------------------------------------------

# A picture of which people say whether every drawn face is boxed.
box_task = sa.Table(
    "box_task",
    metadata,
    sa.Column(
        "image_id",
        Key,
        sa.ForeignKey("image.id"),
        primary_key=True,
        autoincrement=False,
    ),
    # Whether the detector's boxes are not shown, so that what they hide is measured.
    sa.Column("hidden", sa.Boolean, nullable=False),
    # icf.codes.BoxStatus
    text("status"),
    # Of a verified picture: one less the mean IoU of people's boxes with the merged
    # ones; and how many people agree.
    sa.Column("disagreement", sa.Double),
    sa.Column("people", sa.Integer, nullable=False, server_default="0"),
    time("asked_at"),
    time("changed_at"),
    sa.Index("ix_box_task_status", "status", "image_id"),
)

box_answer = sa.Table(
    "box_answer",
    metadata,
    row_id(),
    ref("image_id", "image.id"),
    # "boxed": the boxes are all drawn faces of the picture; or "cannot_tell".
    text("verdict"),
    # JSON [[x1, y1, x2, y2], ...]: pixels of the upright picture.
    text("boxes"),
    # Whether the person saw the detector's boxes first.
    sa.Column("shown", sa.Boolean, nullable=False),
    # Whether a reviewer said so to settle a disagreement.
    sa.Column("decides", sa.Boolean, nullable=False, server_default=sa.false()),
    # The file it was imported from, as icf.annotate.boxes.record notes it; NULL: the
    # page.
    text("file", nullable=True),
    *_of_an_answer(),
    sa.Index(
        "ix_box_answer_image_id",
        "image_id",
        "annotator",
        unique=True,
        **where("replaced_at IS NULL"),
    ),
)

# The drawn faces of a verified picture, as people's boxes merge.
verified_box = sa.Table(
    "verified_box",
    metadata,
    row_id(),
    ref("image_id", "image.id"),
    sa.Column("x1", sa.Double, nullable=False),
    sa.Column("y1", sa.Double, nullable=False),
    sa.Column("x2", sa.Double, nullable=False),
    sa.Column("y2", sa.Double, nullable=False),
    # The detected face that it is; NULL: the detector missed it.
    sa.Column("face_id", Key),
    # How many people drew it, and one less the mean IoU of their boxes with this one.
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("disagreement", sa.Double, nullable=False),
    sa.Index("ix_verified_box_image_id", "image_id"),
)

# --- attributes -------------------------------------------------------------------

attribute_answer = sa.Table(
    "attribute_answer",
    metadata,
    row_id(),
    ref("face_id", "face.id"),
    # icf.codes.Gender
    text("gender", nullable=True),
    # Degrees: of the head turned to its left, up, and tilted to its left shoulder.
    sa.Column("yaw", sa.Double),
    sa.Column("pitch", sa.Double),
    sa.Column("roll", sa.Double),
    # icf.codes.Occlusion
    text("occlusion", nullable=True),
    *_of_an_answer(),
    sa.Index(
        "ix_attribute_answer_face_id",
        "face_id",
        "annotator",
        unique=True,
        **where("replaced_at IS NULL"),
    ),
)

# --- audits of labels -------------------------------------------------------------

# A sample of labels, fixed before anybody looks, that other people check.
label_audit = sa.Table(
    "label_audit",
    metadata,
    row_id(),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("max_error", sa.Double, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    # JSON: sizes of the parts, allowed errors, what it was drawn from.
    text("plan"),
    # SHA-256 of the labels that it was drawn from.
    sa.Column("labels_sha256", sa.String(64), nullable=False),
    time("planned_at"),
    # JSON: what it found, once it is complete: a certificate if certified_at says so.
    text("certificate", nullable=True),
    sa.Column("certified_at", sa.Double),
    # All labels that it was drawn from: icf.catalogue.annotation.audits.pack.
    sa.Column("labels", sa.LargeBinary),
    # When it got its result, or another one took its place; NULL: it is open.
    sa.Column("ended_at", sa.Double),
)

label_audit_item = sa.Table(
    "label_audit_item",
    metadata,
    row_id(),
    ref("audit_id", "label_audit.id"),
    ref("face_id", "face.id"),
    ref("character_id", "character.id"),
    ref("reference_face_id", "face.id"),
    # The label that is checked: "same" or "different".
    text("label"),
    # The part of the labels that it stands for, as the plan names it.
    text("part"),
    sa.UniqueConstraint("audit_id", "face_id", "character_id"),
)

label_audit_answer = sa.Table(
    "label_audit_answer",
    metadata,
    row_id(),
    ref("item_id", "label_audit_item.id"),
    # icf.codes.Choice
    text("choice"),
    # Whether a reviewer said so, of an item on which the check and the label differ.
    sa.Column("decides", sa.Boolean, nullable=False, server_default=sa.false()),
    *_of_an_answer(),
    # The file it was imported from; NULL: the page.
    text("file", nullable=True),
    sa.Index(
        "ix_label_audit_answer_item_id",
        "item_id",
        "annotator",
        unique=True,
        **where("replaced_at IS NULL"),
    ),
)
