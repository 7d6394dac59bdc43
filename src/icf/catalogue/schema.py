"""The tables of the catalogue.

SQLAlchemy Core, because every write is in bulk. Times are UTC epoch seconds (floats),
so that SQLite and PostgreSQL store and compare the very same values. Nothing here is
deleted but by an explicit takedown.

``decision`` is the ledger: append only. The ``awaits``, ``verdict`` and ``reason``
columns of ``image`` and ``face`` say what the newest decision made of them; they are
written in the same transaction as the decision (`icf.catalogue.ledger`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.errors import BrokenMachine

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=_NAMES)

# --- kinds of columns -------------------------------------------------------------

#: 64-bit keys everywhere; SQLite numbers its rows by itself only for plain INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class HexHash(sa.TypeDecorator[int]):
    """A 64-bit hash: a signed integer in Python, 16 hex digits in the database.

    The digits are those of the package imagehash.
    """

    impl = sa.String(16)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> str | None:
        """Write the digits."""
        return None if value is None else f"{value & 0xFFFF_FFFF_FFFF_FFFF:016x}"

    def process_result_value(
        self, value: str | None, dialect: sa.Dialect
    ) -> int | None:
        """Read the digits."""
        if value is None:
            return None
        try:
            if len(value) != 16:
                raise ValueError(value)
            return int.from_bytes(bytes.fromhex(value), "big", signed=True)
        except ValueError as error:
            raise BrokenMachine(
                f"the catalogue is damaged: {value!r} is no hash; `icf doctor --full` "
                "checks all of it"
            ) from error


def row_id() -> sa.Column[int]:
    """The number of a row, which the database gives."""
    return sa.Column("id", Key, primary_key=True, autoincrement=True)


def ref(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    """The id of a row of another table; ``target`` is TABLE.COLUMN."""
    return sa.Column(name, Key, sa.ForeignKey(target), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A text."""
    return sa.Column(name, sa.Text, nullable=nullable)


def time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    """A time, in UTC epoch seconds."""
    return sa.Column(name, sa.Double, nullable=nullable)


def where(condition: str) -> dict[str, Any]:
    """The condition of an index of some rows, the same on both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


# --- what the sources list --------------------------------------------------------

album = sa.Table(
    "album",
    metadata,
    row_id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    text("source"),
    text("page_url", nullable=True),
    sa.Column("rank", sa.Integer),
    # icf.codes.Region, where the source knows it.
    text("region", nullable=True),
    time("found_at"),
    # A word or two of a user's own, as icf.harvest.attributes.style reads them.
    text("style", nullable=True),
)

character = sa.Table(
    "character",
    metadata,
    row_id(),
    ref("album_id", "album.id"),
    text("name"),
    text("source"),
    text("page_url", nullable=True),
    # icf.codes.Gender, where the source knows it.
    text("gender", nullable=True),
    # A picture that a person chose and whose face is not the reference yet, because the
    # filter has to find it first.
    sa.Column("reference_image_id", Key),
    # The face every question about this character is asked against.
    sa.Column("reference_face_id", Key),
    # "lead" (the page's own lead picture), "medoid" (the most typical face) or "hand";
    # by hand and without a face: a person said that there is none.
    text("reference_by", nullable=True),
    # The character that people said this one is.
    sa.Column("merged_into", Key),
    time("found_at"),
    sa.UniqueConstraint("album_id", "name"),
)

# One request to a site's listing: "albums", "characters" of an album, "images" of a
# character. `cursor` is the site's own continue token (JSON) after the last answer that
# was stored; it moves in the same transaction as the rows of that answer.
discovery = sa.Table(
    "discovery",
    metadata,
    row_id(),
    text("source"),
    text("task"),
    text("subject"),
    # "albums", "characters" or "images": what the task lists.
    sa.Column("level", sa.Text, nullable=False, server_default="images"),
    ref("album_id", "album.id", nullable=True),
    ref("character_id", "character.id", nullable=True),
    text("cursor", nullable=True),
    # The cursor it was found with: where a listing that a limit ended begins again.
    text("first_cursor", nullable=True),
    # "pending", "done", "failed", or "limited": a limit was reached before its end.
    text("status"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    text("message", nullable=True),
    # How many rows the source's limits or exclusions left out.
    sa.Column("passed_over", sa.Integer, nullable=False, server_default="0"),
    time("changed_at"),
    sa.UniqueConstraint("source", "task", "subject"),
    sa.Index("ix_discovery_status", "status", "id"),
    sa.Index("ix_discovery_album_id", "album_id"),
    sa.Index("ix_discovery_character_id", "character_id"),
)

# --- the frontier -----------------------------------------------------------------

url = sa.Table(
    "url",
    metadata,
    row_id(),
    # As fetched; `original` is as the source wrote it where that differs.
    sa.Column("url", sa.Text, nullable=False, unique=True),
    text("original", nullable=True),
    text("host"),
    text("source"),
    text("page_url", nullable=True),
    text("licence", nullable=True),
    text("licence_url", nullable=True),
    # Where the licence was read: "extmetadata", "commonmetadata", "template", "site",
    # "list", "folder" or "unknown".
    text("licence_from", nullable=True),
    text("author", nullable=True),
    text("expected_sha1", nullable=True),
    sa.Column("expected_bytes", sa.BigInteger),
    # The source's version of the bytes (a time and a size, a checksum); another version
    # means other bytes.
    text("version", nullable=True),
    # Other addresses of the same picture: a JSON array, best first.
    text("fallbacks", nullable=True),
    # Which one is asked for: 0 is `url`, 1 the first fallback; `host` is its host.
    sa.Column("address_no", sa.Integer, nullable=False, server_default="0"),
    # A picture of an album without a character: it is filed under the whole cast.
    ref("album_id", "album.id", nullable=True),
    # Where in a video a frame is, its shot, and the faces that were tracked to it: JSON
    # [[track, x1, y1, x2, y2], ...], pixels of the upright frame.
    sa.Column("seconds", sa.Double),
    sa.Column("shot", sa.Integer),
    text("tracks", nullable=True),
    # icf.codes.FetchStatus; a leased row is still "pending".
    text("fate"),
    text("message", nullable=True),
    sa.Column("http_status", sa.Integer),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_before", sa.Double, nullable=False, server_default="0"),
    text("leased_by", nullable=True),
    sa.Column("leased_until", sa.Double, nullable=False, server_default="0"),
    sa.Column("image_id", Key),
    time("found_at"),
    time("finished_at", nullable=True),
    sa.Index("ix_url_fate", "fate", "not_before", "id"),
    sa.Index("ix_url_album_id", "album_id"),
    # Of millions of URLs, the few hundred that are leased.
    sa.Index("ix_url_leased_until", "leased_until", **where("leased_until > 0")),
    # Few URLs are frames of videos; they are found without a look at the others.
    sa.Index("ix_url_frames", "id", **where("seconds IS NOT NULL")),
)

# A source filed this URL under this character: the noisy label before the fetch.
mention = sa.Table(
    "mention",
    metadata,
    sa.Column("url_id", Key, sa.ForeignKey("url.id"), primary_key=True),
    sa.Column("character_id", Key, sa.ForeignKey("character.id"), primary_key=True),
    # True for the picture the character's own page leads with.
    sa.Column("is_lead", sa.Boolean, nullable=False),
    time("found_at"),
    sa.Index("ix_mention_character_id", "character_id"),
)

# --- pictures ---------------------------------------------------------------------

image = sa.Table(
    "image",
    metadata,
    row_id(),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # From the header at harvest; width and height are after EXIF rotation once decoded.
    text("format", nullable=True),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("frames", sa.Integer),
    # True where bytes follow the picture's end (a script, an archive).
    sa.Column("trailing", sa.Boolean),
    sa.Column("pixel_hash", sa.String(64)),
    sa.Column("phash", HexHash),
    sa.Column("dhash", HexHash),
    # Probability of being a photograph, from 0 to 1, and the model that gave it.
    sa.Column("photo", sa.Double),
    sa.Column("photo_model", sa.String(64)),
    # What its metadata says against training on it; NULL where it says nothing, or was
    # stored before anybody looked.
    text("no_training", nullable=True),
    # The picture that this one is a copy of.
    sa.Column("keeper_id", Key),
    # The step this image waits for; NULL when none is left.
    text("awaits", nullable=True),
    text("verdict"),
    text("reason"),
    time("stored_at"),
    sa.Index("ix_image_awaits", "awaits", "id"),
    sa.Index("ix_image_pixel_hash", "pixel_hash"),
)

image_source = sa.Table(
    "image_source",
    metadata,
    row_id(),
    ref("image_id", "image.id"),
    text("url"),
    text("source"),
    text("page_url", nullable=True),
    text("licence"),
    text("licence_url", nullable=True),
    text("licence_from"),
    text("author", nullable=True),
    # The address that the bytes came from, where that is a fallback of `url`.
    text("fetched_from", nullable=True),
    # JSON object of the response headers worth keeping.
    text("headers", nullable=True),
    # What the host says against training on it (TDM-Reservation and the like).
    text("reserved", nullable=True),
    # Of a frame of a video, as in `url`.
    sa.Column("seconds", sa.Double),
    sa.Column("shot", sa.Integer),
    text("tracks", nullable=True),
    time("fetched_at"),
    sa.UniqueConstraint("image_id", "url"),
)

candidate = sa.Table(
    "candidate",
    metadata,
    sa.Column("image_id", Key, sa.ForeignKey("image.id"), primary_key=True),
    sa.Column("character_id", Key, sa.ForeignKey("character.id"), primary_key=True),
    sa.Column("is_lead", sa.Boolean, nullable=False),
    sa.Index("ix_candidate_character_id", "character_id", "image_id"),
)

# --- faces ------------------------------------------------------------------------

face = sa.Table(
    "face",
    metadata,
    row_id(),
    ref("image_id", "image.id"),
    # Pixels of the upright image; x2 and y2 are exclusive.
    sa.Column("x1", sa.Double, nullable=False),
    sa.Column("y1", sa.Double, nullable=False),
    sa.Column("x2", sa.Double, nullable=False),
    sa.Column("y2", sa.Double, nullable=False),
    # "cartoon" or "human", as the detector said, with its score.
    text("kind"),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("detector", sa.String(64), nullable=False),
    # Measured on the tight crop in the decode that found the face. `sharpness` is the
    # Laplacian variance of the crop reduced to a fixed size, `sharpness_paper` that of
    # the crop as it is. `edge_sharpness` does not depend on contrast; `resolution` is
    # the number of pixels that its shorter side really has. Brightness is the mean of
    # its grey values, contrast the standard deviation of its colours, 0 to 255.
    # NULL where an earlier version, which did not measure it, found the face.
    sa.Column("sharpness", sa.Double, nullable=False),
    sa.Column("sharpness_paper", sa.Double),
    sa.Column("edge_sharpness", sa.Double),
    sa.Column("resolution", sa.Double),
    sa.Column("brightness", sa.Double),
    sa.Column("contrast", sa.Double),
    sa.Column("pixel_hash", sa.String(64), nullable=False),
    sa.Column("phash", HexHash, nullable=False),
    sa.Column("dhash", HexHash, nullable=False),
    # The better face that this one duplicates.
    sa.Column("keeper_id", Key),
    # The hash of the embedder whose vector is in the vector store.
    sa.Column("embedder", sa.String(64)),
    # The first of the characters that its picture was found under.
    ref("filed_under_id", "character.id"),
    # The character that identity chose among them, with the cosine to its reference and
    # the calibrated probability of being the same; NULL until it has chosen. The last
    # choice stays while the face waits to be judged again (icf.catalogue.filing).
    ref("character_id", "character.id", nullable=True),
    sa.Column("similarity", sa.Double),
    sa.Column("probability", sa.Double),
    text("awaits", nullable=True),
    text("verdict"),
    text("reason"),
    time("found_at"),
    sa.Index("ix_face_awaits", "awaits", "id"),
    sa.Index("ix_face_image_id", "image_id"),
    sa.Index("ix_face_character_id", "character_id", "verdict"),
    sa.Index("ix_face_filed_under_id", "filed_under_id"),
    # Few faces are copies of another one.
    sa.Index("ix_face_keeper_id", "keeper_id", **where("keeper_id IS NOT NULL")),
)

# What is known of two faces without a question: those of one track through a shot
# must be one identity, two of one frame cannot be. face_id is the smaller.
face_link = sa.Table(
    "face_link",
    metadata,
    sa.Column("face_id", Key, sa.ForeignKey("face.id"), primary_key=True),
    sa.Column("other_id", Key, sa.ForeignKey("face.id"), primary_key=True),
    sa.Column("same", sa.Boolean, nullable=False),
    sa.Index("ix_face_link_other_id", "other_id"),
)

#: The two faces of a link, each of them first.
LINK_ENDS = (
    (face_link.c.face_id, face_link.c.other_id),
    (face_link.c.other_id, face_link.c.face_id),
)

# What a person should look at. Nothing here is ever done without an answer.
review = sa.Table(
    "review",
    metadata,
    row_id(),
    # icf.codes.Suspicion: "twin", "merge", "split" or "outlier".
    text("kind"),
    ref("character_id", "character.id"),
    ref("face_id", "face.id"),
    # Of a twin and of a merge: the other character; and the face to compare with.
    ref("other_character_id", "character.id", nullable=True),
    ref("other_face_id", "face.id", nullable=True),
    # How strongly the machine suspects it, from 0 to 1.
    sa.Column("score", sa.Double, nullable=False),
    # The cosine of the two faces, and the bits in which their hashes differ.
    sa.Column("similarity", sa.Double),
    sa.Column("phash_bits", sa.Integer),
    sa.Column("dhash_bits", sa.Integer),
    sa.Column("model", sa.String(64)),
    # icf.codes.ReviewStatus
    text("status"),
    time("found_at"),
    time("changed_at"),
    sa.UniqueConstraint("kind", "face_id", "character_id", "other_face_id"),
    sa.Index("ix_review_status", "status", "kind", "id"),
    sa.Index("ix_review_character_id", "character_id"),
    sa.Index("ix_review_other_face_id", "other_face_id"),
)

# --- questions and answers --------------------------------------------------------

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    text("format"),
    text("path"),
    sa.Column("questions", sa.Integer, nullable=False),
    time("created_at"),
)

question = sa.Table(
    "question",
    metadata,
    row_id(),
    ref("face_id", "face.id"),
    ref("character_id", "character.id"),
    # The reference shown next to it; the face itself: is it a good picture of the
    # character?
    ref("reference_face_id", "face.id"),
    sa.Column("batch_id", sa.Text, sa.ForeignKey("batch.id"), nullable=False),
    # icf.codes.Label
    text("label"),
    time("asked_at"),
    # How it was chosen (icf.codes.Chosen) and with what probability, of the faces that
    # could be asked about then; and the probability that the face is the character, as
    # identity had it. NULL where it was asked by an earlier version, or is not about
    # the character that identity had chosen.
    text("chosen", nullable=True),
    sa.Column("inclusion", sa.Double),
    sa.Column("probability", sa.Double),
    # The probability that the face is the character, after the answers; NULL where
    # labels follow from a number of agreeing answers.
    sa.Column("posterior", sa.Double),
    # Its label is doubted: it is open until somebody answers who has not before then.
    sa.Column("doubted_at", sa.Double),
    # Again only against another reference, where the first one was wrong.
    sa.UniqueConstraint("face_id", "character_id", "reference_face_id"),
    # The page looks for the next ones among a million.
    sa.Index("ix_question_open", "id", **where("label = 'open'")),
    sa.Index("ix_question_batch_id", "batch_id"),
    sa.Index("ix_question_label", "label", "character_id"),
    sa.Index("ix_question_reference_face_id", "reference_face_id"),
)

answer = sa.Table(
    "answer",
    metadata,
    row_id(),
    ref("question_id", "question.id"),
    text("annotator"),
    # icf.codes.Choice
    text("choice"),
    time("answered_at", nullable=True),
    time("imported_at"),
    text("file"),
    sa.Column("line", sa.Integer, nullable=False),
    # Of the file's bytes: the same file again brings nothing new.
    sa.Column("file_sha256", sa.String(64)),
    # When the same person's later answer took its place; NULL: it counts.
    sa.Column("replaced_at", sa.Double),
    # Seconds from when it was shown until it was answered, where the tool tells.
    sa.Column("seconds", sa.Double),
    # The id that the annotation page gave it: one that is sent twice is stored once.
    sa.Column("client_id", sa.Text),
    # Whether an expert said so, to settle what people contradict each other about.
    sa.Column("decides", sa.Boolean),
    # Whether the question's label does not follow from it yet; NULL: it does.
    sa.Column("waits", sa.Boolean),
    # Who the tool it comes from says that it is, whatever name --person gave: the same
    # in every file. And what the tool calls the answer: no other answer is called so.
    sa.Column("origin", sa.Text),
    sa.Column("origin_id", sa.Text),
    sa.Index("ix_answer_question_id", "question_id"),
    sa.Index("ix_answer_annotator", "annotator", "id"),
    sa.Index("ix_answer_origin", "origin", "id"),
    # Everybody's answers are counted by it alone.
    sa.Index(
        "ix_answer_counted",
        "annotator",
        "answered_at",
        **where("replaced_at IS NULL"),
    ),
    sa.Index(
        "ix_answer_client_id",
        "client_id",
        unique=True,
        **where("client_id IS NOT NULL"),
    ),
    sa.Index("ix_answer_waits", "id", **where("waits")),
    sa.Index(
        "ix_answer_question_id_annotator",
        "question_id",
        "annotator",
        unique=True,
        **where("replaced_at IS NULL"),
    ),
)

# The step of the filter's chain that a row waits for when another stage enters it, as
# the filter last declared (icf.catalogue.entry_steps).
entry_step = sa.Table(
    "entry_step",
    metadata,
    sa.Column("entry", sa.Text, primary_key=True),
    text("step"),
)

# What a search over the whole catalogue has seen of each of its subjects, so that the
# next one searches what changed (icf.catalogue.looked_at).
looked_at = sa.Table(
    "looked_at",
    metadata,
    sa.Column("search", sa.Text, primary_key=True),
    sa.Column("subject_id", Key, primary_key=True, autoincrement=False),
    # Of all that the search reads about the subject.
    text("fingerprint"),
    # What the next search needs of the result.
    sa.Column("result", sa.LargeBinary),
)

# --- what must never come back ----------------------------------------------------

# A picture or a character that was withdrawn; the bytes are gone, this row stays. Of
# "sha256" the subject is the hash, of "url" the URL, of "character" ALBUM/CHARACTER.
tombstone = sa.Table(
    "tombstone",
    metadata,
    row_id(),
    text("kind"),
    text("subject"),
    text("reason"),
    time("taken_at"),
    sa.UniqueConstraint("kind", "subject"),
)

# --- how it came to be so ---------------------------------------------------------

run = sa.Table(
    "run",
    metadata,
    row_id(),
    text("command"),
    text("settings"),
    text("version"),
    # The round that it is a part of.
    sa.Column("round_id", Key),
    time("started_at"),
    time("finished_at", nullable=True),
)

decision = sa.Table(
    "decision",
    metadata,
    row_id(),
    # "image", "face", "question" or "character".
    text("subject"),
    sa.Column("subject_id", Key, nullable=False),
    text("step"),
    text("verdict"),
    text("reason"),
    sa.Column("value", sa.Double),
    sa.Column("threshold", sa.Double),
    sa.Column("model", sa.String(64)),
    text("message", nullable=True),
    ref("run_id", "run.id"),
    time("decided_at"),
    sa.Index("ix_decision_subject", "subject", "subject_id", "id"),
)

model = sa.Table(
    "model",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    text("name"),
    text("task"),
    text("card"),
    # Who added it; NULL: the program, because it is bundled or ran.
    text("added_by", nullable=True),
    time("added_at"),
)

# What answers taught about a model: from similarity to the probability of being the
# same. The newest row of a model counts.
calibration = sa.Table(
    "calibration",
    metadata,
    row_id(),
    text("model"),
    # JSON: the parameters, as icf.filter.identify.calibration writes them.
    text("parameters"),
    # The answered questions it was fitted on, and how well it does on them.
    sa.Column("answered", sa.Integer, nullable=False),
    sa.Column("error", sa.Double, nullable=False),
    ref("run_id", "run.id"),
    time("fitted_at"),
    sa.Index("ix_calibration_model", "model", "id"),
)

# Which model is the "champion", "challenger" or "previous" one of a task: append only;
# of each task and alias the newest row counts (icf.models.registry.aliases).
model_alias = sa.Table(
    "model_alias",
    metadata,
    row_id(),
    # "detect" or "embed".
    text("task"),
    text("alias"),
    # NULL: the bundled model of the task.
    sa.Column("model", sa.String(64)),
    text("moved_by"),
    text("reason"),
    # The comparison that allowed it.
    ref("gate_id", "gate.id", nullable=True),
    time("moved_at"),
    sa.Index("ix_model_alias_task", "task", "alias", "id"),
)

# A comparison of a challenger with the champion, on the audit set.
gate = sa.Table(
    "gate",
    metadata,
    row_id(),
    text("task"),
    sa.Column("champion", sa.String(64), nullable=False),
    sa.Column("challenger", sa.String(64), nullable=False),
    ref("round_id", "round.id", nullable=True),
    sa.Column("promoted", sa.Boolean, nullable=False),
    # JSON: figures, intervals, margins, floors and reasons.
    text("report"),
    time("made_at"),
)

# What was set aside at the first round: never trained on, asked about at random only.
audit_item = sa.Table(
    "audit_item",
    metadata,
    # "character" or "image".
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject_id", Key, primary_key=True, autoincrement=False),
    time("set_aside_at"),
)

# `round` is a function in SQL; the table's name is always quoted by SQLAlchemy.
round_ = sa.Table(
    "round",
    metadata,
    row_id(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    # icf.codes.RoundState: the step it has reached.
    text("status"),
    # JSON: batches, models, and what changed, as far as it has come.
    text("summary", nullable=True),
    time("started_at"),
    time("finished_at", nullable=True),
)

release = sa.Table(
    "release",
    metadata,
    row_id(),
    text("path"),
    sa.Column("seed", sa.BigInteger, nullable=False),
    # The text of release.json.
    text("summary"),
    time("created_at"),
    # The faces of its test: icf.catalogue.annotation.audits.pack.
    sa.Column("test_faces", sa.LargeBinary),
    # Nobody should use it any more, and why.
    time("revoked_at", nullable=True),
    text("revoked_because", nullable=True),
)
