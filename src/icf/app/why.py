"""`icf why`: all decisions about a face, image, question, character or URL."""

from __future__ import annotations

import datetime
from typing import Any

import click
import sqlalchemy as sa

from icf.catalogue import ledger, tombstones
from icf.catalogue.face_character import current_character, is_of
from icf.catalogue.schema import (
    album,
    answer,
    candidate,
    character,
    face,
    face_link,
    image,
    image_source,
    question,
    review,
    url,
)
from icf.codes import FaceReason, FetchStatus, ImageReason, Label, meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import plugins
from icf.errors import WrongUse

Record = dict[str, Any]

#: Keys are 64-bit numbers; databases reject larger ones.
_MOST_DIGITS = 18


@click.command()
@click.argument("subject", metavar="ID")
@shared_options
@pass_invocation
@example("icf why 1")
def why(invocation: Invocation, subject: str) -> None:
    """Show why something was kept or dropped, and where it came from.

    ID is a face's number (12 or face:12), image:12, question:12, character:12, the
    SHA-256 of an image, or a URL. The output is the ledger: each step's verdict with
    its reason, the measured value, the threshold and the model.
    """
    with invocation.workspace.catalogue.read() as connection:
        record = explain(connection, subject)
    invocation.emit(record, lambda: _render(record))


def explain(connection: sa.Connection, subject: str) -> Record:
    """Collect everything in the catalogue about ``subject``.

    Raises:
        WrongUse: the catalogue has no such subject.
    """
    if _is_only_withdrawn(connection, subject):
        return {
            "subject": subject,
            "tombstones": _tombstones(connection, subject),
            "meaning": FetchStatus.TAKEN_DOWN.meaning,
        }
    if "://" in subject:
        return _explain_url(connection, subject)
    if len(subject) == 64:
        return _explain_image(connection, image.c.sha256 == subject, subject)
    kind, _, number = subject.rpartition(":")
    if not number.isdecimal():
        raise WrongUse(
            f"there is no {subject!r}; give a face's number, image:N, "
            "question:N, character:N, an image's SHA-256 or a URL"
        )
    if len(number) > _MOST_DIGITS:
        raise WrongUse(f"the catalogue has no {subject}")
    if kind in ("", "face"):
        return _explain_face(connection, int(number))
    if kind == "image":
        return _explain_image(connection, image.c.id == int(number), subject)
    if kind == "question":
        return _explain_question(connection, int(number))
    if kind == "character":
        return _explain_character(connection, int(number))
    raise WrongUse(f"{kind!r} is not one of face, image, question, character")


def _is_only_withdrawn(connection: sa.Connection, subject: str) -> bool:
    """Return whether a URL or a hash was withdrawn before it was ever fetched."""
    known = sa.union_all(
        sa.select(url.c.id).where(
            sa.or_(url.c.url == subject, url.c.original == subject)
        ),
        sa.select(image.c.id).where(image.c.sha256 == subject),
    )
    if connection.execute(known).first() is not None:
        return False
    kinds = {each.kind for each in tombstones.read(connection, [subject])}
    return bool(kinds - {tombstones.CHARACTER})


def _one(connection: sa.Connection, query: sa.Select[Any], subject: str) -> Record:
    row = connection.execute(query).mappings().first()
    if row is None:
        raise WrongUse(f"the catalogue has no {subject}")
    return dict(row)


def _all(connection: sa.Connection, query: sa.Select[Any]) -> list[Record]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _decisions(connection: sa.Connection, subject: str, key: int) -> list[Record]:
    found = ledger.history(connection, subject, key)
    return [
        {
            **{
                name: value
                for name, value in vars(each.decision).items()
                if name not in ("subject", "subject_id") and value is not None
            },
            "run": each.run_id,
            "at": _iso(each.decided_at),
        }
        for each in found
    ]


def _iso(seconds: float) -> str:
    utc = datetime.timezone.utc
    return datetime.datetime.fromtimestamp(seconds, utc).isoformat(timespec="seconds")


def _explain_face(connection: sa.Connection, key: int) -> Record:
    row = _one(
        connection,
        sa.select(face, character.c.name.label("character"))
        .join(character, character.c.id == current_character())
        .where(face.c.id == key),
        f"face {key}",
    )
    asked = sa.select(question.c.id).where(question.c.face_id == key)
    return {
        "subject": f"face:{key}",
        "verdict": row["verdict"],
        "reason": row["reason"],
        "meaning": meaning_of(FaceReason, row["reason"], plugins.meanings("face")),
        "awaits": row["awaits"],
        "character": row["character"],
        "box": [row["x1"], row["y1"], row["x2"], row["y2"]],
        "keeper": row["keeper_id"],
        "same_as": _linked(connection, key, same=True),
        "other_than": _linked(connection, key, same=False),
        "decisions": _decisions(connection, "face", key),
        "suspicions": _suspicions(connection, review.c.face_id == key),
        "questions": [
            _explain_question(connection, each)
            for each in connection.execute(asked).scalars()
        ],
        "image": _explain_image(
            connection, image.c.id == row["image_id"], f"image {row['image_id']}"
        ),
    }


def _suspicions(
    connection: sa.Connection, about: sa.ColumnElement[bool]
) -> list[Record]:
    """Read suspicions, the strongest first; see `icf-filter review`."""
    query = (
        sa.select(
            review.c.kind,
            review.c.status,
            review.c.score,
            review.c.face_id.label("face"),
            review.c.other_face_id.label("beside"),
            review.c.other_character_id.label("other_character"),
        )
        .where(about)
        .order_by(review.c.score.desc(), review.c.id)
    )
    return _all(connection, query)


def _linked(connection: sa.Connection, key: int, *, same: bool) -> list[int]:
    """Return the faces linked as the same, or as another, by a video's tracks."""
    ends = (face_link.c.face_id, face_link.c.other_id)
    queries = [
        sa.select(other).where(one == key, face_link.c.same == same)
        for one, other in (ends, ends[::-1])
    ]
    return sorted(
        linked for query in queries for linked in connection.execute(query).scalars()
    )


def _explain_image(
    connection: sa.Connection, where: sa.ColumnElement[bool], subject: str
) -> Record:
    row = _one(connection, sa.select(image).where(where), subject)
    filed = (
        sa.select(album.c.name.label("album"), character.c.name.label("character"))
        .select_from(candidate.join(character).join(album))
        .where(candidate.c.image_id == row["id"])
        .order_by(character.c.id)
    )
    sources = (
        sa.select(
            image_source.c.url,
            image_source.c.source,
            image_source.c.page_url,
            image_source.c.licence,
            image_source.c.licence_from,
            image_source.c.author,
        )
        .where(image_source.c.image_id == row["id"])
        .order_by(image_source.c.id)
    )
    return {
        "subject": f"image:{row['id']}",
        "sha256": row["sha256"],
        "tombstones": _tombstones(connection, row["sha256"]),
        "verdict": row["verdict"],
        "reason": row["reason"],
        "meaning": meaning_of(ImageReason, row["reason"], plugins.meanings("image")),
        "awaits": row["awaits"],
        "filed_under": _all(connection, filed),
        "sources": _all(connection, sources),
        "decisions": _decisions(connection, "image", row["id"]),
    }


def _explain_question(connection: sa.Connection, key: int) -> Record:
    row = _one(
        connection,
        sa.select(question, character.c.name.label("character"))
        .join(character, character.c.id == question.c.character_id)
        .where(question.c.id == key),
        f"question {key}",
    )
    given = (
        sa.select(answer.c.annotator, answer.c.choice, answer.c.file, answer.c.line)
        .where(answer.c.question_id == key)
        .order_by(answer.c.id)
    )
    return {
        "subject": f"question:{key}",
        "face": row["face_id"],
        "character": row["character"],
        "batch": row["batch_id"],
        "label": row["label"],
        "meaning": Label[row["label"].upper()].meaning,
        "answers": _all(connection, given),
        "decisions": _decisions(connection, "question", key),
    }


def _explain_character(connection: sa.Connection, key: int) -> Record:
    row = _one(
        connection,
        sa.select(character, album.c.name.label("album"))
        .join(album, album.c.id == character.c.album_id)
        .where(character.c.id == key),
        f"character {key}",
    )
    merged = (
        sa.select(character.c.id)
        .where(character.c.merged_into == key)
        .order_by(character.c.id)
    )
    reasons = (
        sa.select(face.c.reason, sa.func.count())
        .where(is_of(key))
        .group_by(face.c.reason)
        .order_by(face.c.reason)
    )
    return {
        "subject": f"character:{key}",
        "tombstones": _tombstones(
            connection, tombstones.full_name(row["album"], row["name"])
        ),
        "name": row["name"],
        "album": row["album"],
        "source": row["source"],
        "page_url": row["page_url"],
        "reference_face": row["reference_face_id"],
        "reference_by": row["reference_by"],
        "merged_into": row["merged_into"],
        "stands_for": list(connection.execute(merged).scalars()),
        "suspicions": _suspicions(connection, review.c.character_id == key),
        "faces": {reason: count for reason, count in connection.execute(reasons)},
        "decisions": _decisions(connection, "character", key),
    }


def _explain_url(connection: sa.Connection, text: str) -> Record:
    where = sa.or_(url.c.url == text, url.c.original == text)
    row = _one(connection, sa.select(url).where(where), f"URL {text}")
    record: Record = {
        "subject": row["url"],
        "tombstones": _tombstones(connection, row["url"]),
        "fate": row["fate"],
        "meaning": FetchStatus[row["fate"].upper()].meaning,
        "message": row["message"],
        "attempts": row["attempts"],
        "page_url": row["page_url"],
        "licence": row["licence"],
        "licence_from": row["licence_from"],
    }
    if row["image_id"] is not None:
        record["image"] = _explain_image(
            connection, image.c.id == row["image_id"], f"image {row['image_id']}"
        )
    return record


def _tombstones(connection: sa.Connection, subject: str) -> list[Record]:
    """Read the tombstones of a subject; see `icf takedown`."""
    return [
        {"kind": each.kind, "reason": each.reason, "taken_at": _iso(each.taken_at)}
        for each in tombstones.read(connection, [subject])
    ]


def _render(record: Record, indent: int = 0) -> str:
    """Format a record as indented lines."""
    pad = "  " * indent
    lines = []
    for key, value in record.items():
        if isinstance(value, dict):
            lines += [f"{pad}{key}:", _render(value, indent + 1)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{pad}{key}:")
            lines += [_line(each, indent + 1) for each in value]
        elif value not in (None, "", []):
            lines.append(f"{pad}{key}: {value}")
    return "\n".join(lines)


def _line(record: Record, indent: int) -> str:
    if any(isinstance(value, list | dict) for value in record.values()):
        return _render(record, indent)
    parts = (f"{key} {value}" for key, value in record.items() if value is not None)
    return "  " * indent + "- " + ", ".join(parts)
