"""Withdraw pictures: the tombstones first, then what refers to them, then the bytes.

Each part is safe to be killed in, and doing all of it again completes it: from the
moment the tombstones are on the disk nothing brings a picture back, and the last part
goes over every tombstone there is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from icf.app.takedown.target import Target
from icf.catalogue import ledger, references, reviews, tombstones
from icf.catalogue.schema import (
    answer,
    batch,
    candidate,
    character,
    discovery,
    face,
    face_link,
    image,
    mention,
    question,
    tombstone,
    url,
)
from icf.codes import FaceReason, FetchStatus, ImageReason, Label, Verdict
from icf.engine.rows import CHUNK, by_ids
from icf.workspace import Workspace

#: The step's name in the ledger.
STEP = "takedown"


def take_down(workspace: Workspace, target: Target, reason: str) -> None:
    """Withdraw a target for good.

    Raises:
        BrokenMachine: disk or database do not answer; do it again.
    """
    with workspace.catalogue.write() as connection:
        _bury(connection, target, reason)
    run_id = workspace.begin_run("icf takedown")
    with workspace.catalogue.write() as connection:
        _end_urls(connection, target.urls, reason)
        if target.character_id is not None:
            _forget_character(connection, run_id, target.character_id, reason)
        _drop_faces(connection, run_id, target.faces, reason)
        _drop_images(connection, run_id, target.images, reason)
    remove_what_is_buried(workspace)
    workspace.end_run(run_id)


def remove_what_is_buried(workspace: Workspace) -> None:
    """Remove the bytes, vectors, hashes and exported crops of what is withdrawn."""
    with workspace.catalogue.read() as connection:
        hashes = tombstones.all_of_kind(connection, tombstones.SHA256)
        gone = sa.select(face.c.id).where(face.c.reason == FaceReason.TAKEN_DOWN.value)
        faces = list(connection.execute(gone).scalars())
        batches = list(connection.execute(sa.select(batch.c.path)).scalars())
    for sha256 in sorted(hashes):
        workspace.blobs.remove(sha256)
    workspace.vectors.erase(np.array(faces, np.int64))
    workspace.hashes.erase(np.array(faces, np.int64))
    for path in batches:
        # A relative path is one inside the workspace; an absolute one stays itself.
        for crop in _crops(workspace.root / path, set(faces)):
            crop.unlink(missing_ok=True)


def hashes_of(connection: sa.Connection, target: Target) -> frozenset[str]:
    """Return the SHA-256 of each picture of a target."""
    query = sa.select(image.c.sha256)
    rows = by_ids(connection, query, image.c.id, target.images)
    return frozenset(row.sha256 for row in rows)


def _crops(folder: Path, faces: set[int]) -> Iterator[Path]:
    """The crops of faces in a batch folder; see `icf.annotate.batch.picture_path`."""
    for crop in (folder / "pictures").glob("face-*.jpg"):
        number = crop.stem.removeprefix("face-")
        if number.isdecimal() and int(number) in faces:
            yield crop


def _bury(connection: sa.Connection, target: Target, reason: str) -> None:
    tombstones.bury(connection, target.kind, [target.subject], reason)
    hashes = hashes_of(connection, target)
    tombstones.bury(connection, tombstones.SHA256, hashes, reason)
    of_urls = by_ids(connection, sa.select(url.c.url), url.c.id, target.urls)
    tombstones.bury(connection, tombstones.URL, {row.url for row in of_urls}, reason)


def _end_urls(connection: sa.Connection, ids: Sequence[int], reason: str) -> None:
    for part in _parts(ids):
        connection.execute(
            sa.update(url)
            .where(url.c.id.in_(part), url.c.fate != FetchStatus.TAKEN_DOWN.value)
            .values(
                fate=FetchStatus.TAKEN_DOWN.value,
                message=reason,
                finished_at=time.time(),
                leased_by=None,
                leased_until=0.0,
            )
        )


def _forget_character(
    connection: sa.Connection, run_id: int, key: int, reason: str
) -> None:
    """File nothing under a withdrawn character, list and ask nothing of it again."""
    _close_questions(connection, run_id, question.c.character_id == key, reason)
    reviews.close(connection, characters=[key])
    connection.execute(sa.delete(discovery).where(discovery.c.character_id == key))
    connection.execute(
        sa.delete(mention).where(
            mention.c.character_id == key, mention.c.url_id.not_in(_buried_urls())
        )
    )
    connection.execute(
        sa.delete(candidate).where(
            candidate.c.character_id == key,
            candidate.c.image_id.not_in(_buried_images()),
        )
    )
    connection.execute(
        sa.update(character)
        .where(character.c.id == key)
        .values(reference_face_id=None, reference_image_id=None, reference_by=None)
    )


def _buried_urls() -> sa.Select[tuple[int]]:
    buried = sa.select(tombstone.c.subject).where(tombstone.c.kind == tombstones.URL)
    return sa.select(url.c.id).where(url.c.url.in_(buried))


def _buried_images() -> sa.Select[tuple[int]]:
    buried = sa.select(tombstone.c.subject).where(tombstone.c.kind == tombstones.SHA256)
    return sa.select(image.c.id).where(image.c.sha256.in_(buried))


def _drop_images(
    connection: sa.Connection, run_id: int, ids: Sequence[int], reason: str
) -> None:
    dropped = {
        "verdict": Verdict.DROPPED.value,
        "reason": ImageReason.TAKEN_DOWN.value,
        "awaits": None,
    }
    standing = image.c.reason != ImageReason.TAKEN_DOWN.value
    for part in _parts(ids):
        query = sa.select(image.c.id).where(image.c.id.in_(part), standing)
        fresh = list(connection.execute(query).scalars())
        _note(connection, run_id, "image", fresh, reason)
        connection.execute(
            sa.update(image).where(image.c.id.in_(fresh)).values(dropped)
        )
        connection.execute(
            sa.update(character)
            .where(character.c.reference_image_id.in_(part))
            .values(reference_image_id=None)
        )


def _drop_faces(
    connection: sa.Connection, run_id: int, ids: Sequence[int], reason: str
) -> None:
    dropped = {
        "verdict": Verdict.DROPPED.value,
        "reason": FaceReason.TAKEN_DOWN.value,
        "awaits": None,
        "embedder": None,
    }
    standing = face.c.reason != FaceReason.TAKEN_DOWN.value
    for part in _parts(ids):
        query = sa.select(face.c.id).where(face.c.id.in_(part), standing)
        fresh = list(connection.execute(query).scalars())
        _note(connection, run_id, "face", fresh, reason)
        connection.execute(sa.update(face).where(face.c.id.in_(fresh)).values(dropped))
        about = question.c.face_id.in_(part)
        _close_questions(connection, run_id, sa.or_(about, _beside(part)), reason)
        reviews.close(connection, faces=part)
        connection.execute(
            sa.delete(face_link).where(
                sa.or_(face_link.c.face_id.in_(part), face_link.c.other_id.in_(part))
            )
        )
    for part in _parts(ids):
        orphaned = sa.select(character.c.id).where(
            character.c.reference_face_id.in_(part)
        )
        for key in list(connection.execute(orphaned).scalars()):
            references.clear(connection, run_id, key)


def _beside(faces: Sequence[int]) -> sa.ColumnElement[bool]:
    """Of questions: it waits for an answer, with one of these faces as reference.

    An answer that people gave stays: it is about the other face.
    """
    waits = question.c.label == Label.OPEN.value
    return sa.and_(waits, question.c.reference_face_id.in_(faces))


def _close_questions(
    connection: sa.Connection,
    run_id: int,
    where: sa.ColumnElement[bool],
    reason: str,
) -> None:
    """Remove questions with their answers; the ledger keeps that they were asked."""
    query = sa.select(question.c.id).where(where)
    for part in _parts(list(connection.execute(query).scalars())):
        _note(connection, run_id, "question", part, reason)
        connection.execute(sa.delete(answer).where(answer.c.question_id.in_(part)))
        connection.execute(sa.delete(question).where(question.c.id.in_(part)))


def _note(
    connection: sa.Connection,
    run_id: int,
    subject: str,
    ids: Sequence[int],
    reason: str,
) -> None:
    decisions = [
        ledger.Decision(
            subject,
            key,
            STEP,
            Verdict.DROPPED.value,
            FaceReason.TAKEN_DOWN.value,
            message=reason,
        )
        for key in ids
    ]
    ledger.append(connection, run_id, decisions)


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    # Two conditions of one statement may each name all of them.
    size = CHUNK // 2
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
