"""`icf why`: all decisions about a face, image, question, character or URL."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from icf.catalogue import ledger, tombstones
from icf.catalogue.face_character import current_character, is_of
from icf.catalogue.find_character import find_character
from icf.catalogue.schema import (
    LINK_ENDS,
    album,
    answer,
    candidate,
    character,
    face,
    face_link,
    image,
    image_source,
    question,
    release,
    review,
    url,
)
from icf.codes import FaceReason, FetchStatus, ImageReason, Label, meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.dataset.licences import files_of
from icf.engine import plugins
from icf.errors import WrongUse
from icf.redact import without_login
from icf.stores.files import is_sha256

Record = dict[str, Any]

#: Keys are 64-bit numbers; databases reject larger ones.
_MOST_DIGITS = 18
_NUMBERED = re.compile(r"(?:(face|image|question|character):)?(\d+)", re.ASCII)


@click.command()
@click.argument("subject", metavar="SUBJECT")
@shared_options
@pass_invocation
@example("icf why 1")
def why(invocation: Invocation, subject: str) -> None:
    """Show why something was kept or dropped, and where it came from.

    SUBJECT is a face's number (12 or face:12), image:12, question:12, character:12,
    ALBUM/CHARACTER or a character's name, the SHA-256 of an image, a URL, or a file
    that was harvested. The output is the ledger: each step's verdict with its reason,
    the measured value, the threshold and the model.
    """
    workspace = invocation.workspace
    with workspace.catalogue.read() as connection:
        record = explain(connection, subject, workspace.root)
    invocation.emit(record, lambda: _render(record))


def explain(connection: sa.Connection, subject: str, root: Path) -> Record:
    """Collect everything in the catalogue about ``subject``.

    Args:
        connection: a transaction that reads.
        subject: as `icf why` takes it.
        root: the workspace's folder, which the paths of releases are relative to.

    Raises:
        WrongUse: the catalogue has no such subject.
    """
    return _Explainer(connection, root).explain(subject)


class _Explainer:
    """Reads the records of subjects; a method for each kind."""

    def __init__(self, connection: sa.Connection, root: Path) -> None:
        self.connection = connection
        self.root = root

    def explain(self, subject: str) -> Record:
        if self._is_only_withdrawn(subject):
            return {
                "subject": subject,
                "tombstones": self._tombstones(subject),
                "meaning": FetchStatus.TAKEN_DOWN.meaning,
            }
        if "://" in subject:
            return self.url(subject)
        if is_sha256(subject.lower()):
            return self.image(image.c.sha256 == subject.lower(), subject)
        if numbered := _NUMBERED.fullmatch(subject):
            kind, number = numbered.groups()
            if len(number) > _MOST_DIGITS:
                raise WrongUse(f"the catalogue has no {subject}")
            explain = {
                "face": self.face,
                "image": self.image_by_id,
                "question": self.question,
                "character": self.character,
            }[kind or "face"]
            return explain(int(number))
        if Path(subject).is_file():
            return self.url(Path(subject).resolve().as_uri())
        return self.character(self._named(subject))

    def _named(self, subject: str) -> int:
        try:
            return find_character(self.connection, subject)
        except WrongUse as error:
            raise WrongUse(
                f"{error}; for others than characters give a face's number, image:N, "
                "question:N, an image's SHA-256 or a URL"
            ) from None

    def face(self, key: int) -> Record:
        query = sa.select(face, character.c.name.label("character")).join(
            character, character.c.id == current_character()
        )
        row = self._one(query.where(face.c.id == key), f"face {key}")
        asked = sa.select(question.c.id).where(question.c.face_id == key)
        meanings = plugins.meanings("face")
        return {
            "subject": f"face:{key}",
            "verdict": row.verdict,
            "reason": row.reason,
            "meaning": meaning_of(FaceReason, row.reason, meanings),
            "awaits": row.awaits,
            "character": row.character,
            "box": [row.x1, row.y1, row.x2, row.y2],
            "keeper": row.keeper_id,
            "same_as": self._linked(key, same=True),
            "other_than": self._linked(key, same=False),
            "decisions": self._decisions("face", key),
            "suspicions": self._suspicions(review.c.face_id == key),
            "questions": [self.question(each) for each in self._values(asked)],
            "image": self.image_by_id(row.image_id),
        }

    def image_by_id(self, key: int) -> Record:
        return self.image(image.c.id == key, f"image:{key}")

    def image(self, where: sa.ColumnElement[bool], subject: str) -> Record:
        row = self._one(sa.select(image).where(where), subject)
        filed = (
            sa.select(album.c.name.label("album"), character.c.name.label("character"))
            .select_from(candidate.join(character).join(album))
            .where(candidate.c.image_id == row.id)
            .order_by(character.c.id)
        )
        found = image_source.c
        sources = (
            sa.select(
                found.url,
                found.fetched_from,
                found.source,
                found.page_url,
                found.licence,
                found.licence_from,
                found.author,
                found.reserved,
            )
            .where(found.image_id == row.id)
            .order_by(found.id)
        )
        meanings = plugins.meanings("image")
        return {
            "subject": f"image:{row.id}",
            "sha256": row.sha256,
            "tombstones": self._tombstones(row.sha256),
            "verdict": row.verdict,
            "reason": row.reason,
            "meaning": meaning_of(ImageReason, row.reason, meanings),
            "awaits": row.awaits,
            "filed_under": self._all(filed),
            "sources": list(map(_public, self._all(sources))),
            "releases": self._releases(row.sha256),
            "decisions": self._decisions("image", row.id),
        }

    def _releases(self, sha256: str) -> list[Record]:
        """Read which releases have a picture, and as which files."""
        query = sa.select(release.c.path).distinct().order_by(release.c.path)
        found = []
        for path in self.connection.execute(query).scalars():
            files = files_of(self.root / path, sha256)
            if files is None:
                found.append({"release": path, "note": "it is not at that place now"})
            elif files:
                found.append({"release": path, "files": ", ".join(files)})
        return found

    def question(self, key: int) -> Record:
        query = sa.select(question, character.c.name.label("character")).join(
            character, character.c.id == question.c.character_id
        )
        row = self._one(query.where(question.c.id == key), f"question {key}")
        given = (
            sa.select(
                answer.c.annotator,
                answer.c.choice,
                answer.c.file,
                answer.c.line,
                answer.c.replaced_at,
            )
            .where(answer.c.question_id == key)
            .order_by(answer.c.id)
        )
        return {
            "subject": f"question:{key}",
            "face": row.face_id,
            "character": row.character,
            "batch": row.batch_id,
            "label": row.label,
            "meaning": meaning_of(Label, row.label),
            "answers": [_dated_answer(each) for each in self._all(given)],
            "decisions": self._decisions("question", key),
        }

    def character(self, key: int) -> Record:
        query = sa.select(character, album.c.name.label("album")).join(album)
        row = self._one(query.where(character.c.id == key), f"character {key}")
        merged = sa.select(character.c.id).where(character.c.merged_into == key)
        reasons = (
            sa.select(face.c.reason, sa.func.count())
            .where(is_of(key))
            .group_by(face.c.reason)
            .order_by(face.c.reason)
        )
        return {
            "subject": f"character:{key}",
            "tombstones": self._tombstones(tombstones.full_name(row.album, row.name)),
            "name": row.name,
            "album": row.album,
            "source": row.source,
            "page_url": without_login(row.page_url),
            "reference_face": row.reference_face_id,
            "reference_by": row.reference_by,
            "merged_into": row.merged_into,
            "stands_for": self._values(merged.order_by(character.c.id)),
            "suspicions": self._suspicions(review.c.character_id == key),
            "faces": {code: count for code, count in self.connection.execute(reasons)},
            "decisions": self._decisions("character", key),
        }

    def url(self, text: str) -> Record:
        row = self._one(sa.select(url).where(_is_url(text)), f"URL {text}")
        record: Record = {
            "subject": row.url,
            "tombstones": self._tombstones(row.url),
            "fate": row.fate,
            "meaning": meaning_of(FetchStatus, row.fate),
            "message": row.message,
            "attempts": row.attempts,
            "fallbacks": json.loads(row.fallbacks) if row.fallbacks else [],
            "page_url": without_login(row.page_url),
            "licence": row.licence,
            "licence_from": row.licence_from,
        }
        if row.image_id is not None:
            record["image"] = self.image_by_id(row.image_id)
        return record

    def _is_only_withdrawn(self, subject: str) -> bool:
        """Return whether a URL or a hash was withdrawn before it was ever fetched."""
        known = sa.union_all(
            sa.select(url.c.id).where(_is_url(subject)),
            sa.select(image.c.id).where(image.c.sha256 == subject),
        )
        if self.connection.execute(known).first() is not None:
            return False
        kinds = {each.kind for each in tombstones.read(self.connection, [subject])}
        return bool(kinds - {tombstones.CHARACTER})

    def _tombstones(self, subject: str) -> list[Record]:
        """Read the tombstones of a subject; see `icf takedown`."""
        return [
            {"kind": each.kind, "reason": each.reason, "taken_at": _iso(each.taken_at)}
            for each in tombstones.read(self.connection, [subject])
        ]

    def _decisions(self, subject: str, key: int) -> list[Record]:
        found = ledger.history(self.connection, subject, key)
        return [
            {
                **{
                    name: value
                    for name, value in vars(each.decision).items()
                    if name not in ("subject", "subject_id") and value is not None
                },
                "run": each.run_id,
                **({"round": each.round} if each.round is not None else {}),
                "at": _iso(each.decided_at),
            }
            for each in found
        ]

    def _suspicions(self, about: sa.ColumnElement[bool]) -> list[Record]:
        """Read suspicions, the strongest first; see `icf-filter review`."""
        query = sa.select(
            review.c.kind,
            review.c.status,
            review.c.score,
            review.c.face_id.label("face"),
            review.c.other_face_id.label("beside"),
            review.c.other_character_id.label("other_character"),
        ).where(about)
        return self._all(query.order_by(review.c.score.desc(), review.c.id))

    def _linked(self, key: int, *, same: bool) -> list[int]:
        """Return the faces linked as the same, or as another, by a video's tracks."""
        return sorted(
            linked
            for one, other in LINK_ENDS
            for linked in self._values(
                sa.select(other).where(one == key, face_link.c.same == same)
            )
        )

    def _one(self, query: sa.Select[Any], subject: str) -> sa.Row[Any]:
        row = self.connection.execute(query).first()
        if row is None:
            raise WrongUse(f"the catalogue has no {subject}")
        return row

    def _all(self, query: sa.Select[Any]) -> list[Record]:
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def _values(self, query: sa.Select[Any]) -> list[int]:
        return list(self.connection.execute(query).scalars())


def _dated_answer(given: Record) -> Record:
    """An answer; one that its person changed later says when."""
    replaced_at = given.pop("replaced_at")
    return given if replaced_at is None else {**given, "replaced": _iso(replaced_at)}


def _public(source: Record) -> Record:
    """Return where a picture was found without the login that its page may have.

    Where its host says nothing against training on it, neither does this.
    """
    said = {k: v for k, v in source.items() if k != "reserved" or v is not None}
    return {**said, "page_url": without_login(source["page_url"])}


def _is_url(text: str) -> sa.ColumnElement[bool]:
    """Whether a URL is this one; earlier versions stored logins."""
    written = {text, without_login(text)}
    return sa.or_(url.c.url.in_(written), url.c.original.in_(written))


def _iso(seconds: float) -> str:
    utc = datetime.timezone.utc
    return datetime.datetime.fromtimestamp(seconds, utc).isoformat(timespec="seconds")


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
            lines.append(f"{pad}{key}: {_shown(value)}")
    return "\n".join(lines)


def _line(record: Record, indent: int) -> str:
    if any(isinstance(value, list | dict) for value in record.values()):
        return _render(record, indent)
    parts = (
        f"{key} {_shown(value)}" for key, value in record.items() if value is not None
    )
    return "  " * indent + "- " + ", ".join(parts)


def _shown(value: object) -> object:
    """A value for people; --json has every digit."""
    if isinstance(value, list):
        return ", ".join(str(_shown(each)) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else value
