"""Remove pictures: tombstones first, then the catalogue, then the stores.

Copies in batches and releases come last (`icf.app.takedown.copies`). A killed takedown
is completed by running it again. Once the tombstones are written, no harvest stores the
pictures again; the last part goes over all tombstones.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from icf.app.takedown import answers
from icf.app.takedown.target import LOST, Target
from icf.catalogue import ledger, references, reviews, tombstones
from icf.catalogue.rows import by_ids, lock, lock_table, locked
from icf.catalogue.schema import (
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
from icf.workspace import Workspace

#: The step's name in the ledger.
STEP = "takedown"

#: The reason of images, faces and questions alike.
_CODE = FaceReason.TAKEN_DOWN.value
assert ImageReason.TAKEN_DOWN.value == _CODE


def take_down(workspace: Workspace, target: Target, reason: str) -> None:
    """Remove a target permanently.

    Raises:
        BrokenMachine: disk or database fail; run it again.
    """
    with workspace.catalogue.write() as connection:
        tombstones.hold(connection)
        _write_tombstones(connection, target, reason)
    run_id = workspace.begin_run("icf takedown")
    with workspace.catalogue.write() as connection:
        tombstones.hold(connection)
        # Labels that follow from answers change what they are about after it.
        lock_table(connection, question)
        _end_urls(connection, target.urls, reason)
        if target.character_id is not None:
            _forget_character(connection, run_id, target.character_id, reason)
        _drop_faces(connection, run_id, target.faces, reason)
        _drop_images(connection, run_id, target.images, reason)
    remove_files(workspace)
    workspace.end_run(run_id)


def remove_files(workspace: Workspace) -> None:
    """Delete blobs, vectors and hashes of everything withdrawn."""
    with workspace.catalogue.read() as connection:
        hashes = tombstones.all_of_kind(connection, tombstones.SHA256)
        faces = np.array(sorted(all_withdrawn_faces(connection)), np.int64)
    for sha256 in sorted(hashes):
        workspace.blobs.remove(sha256)
    workspace.vectors.erase(faces)
    workspace.hashes.erase(faces)


def all_withdrawn_faces(connection: sa.Connection) -> set[int]:
    """Return the ids of every face that was ever withdrawn."""
    gone = sa.select(face.c.id).where(face.c.reason == _CODE)
    return set(connection.execute(gone).scalars())


def hashes_of(connection: sa.Connection, target: Target) -> frozenset[str]:
    """Return the SHA-256 of each picture of a target."""
    query = sa.select(image.c.sha256)
    rows = by_ids(connection, query, image.c.id, target.images)
    return frozenset(row.sha256 for row in rows)


def _write_tombstones(connection: sa.Connection, target: Target, reason: str) -> None:
    if target.kind != LOST:
        tombstones.bury(connection, target.kind, [target.subject], reason)
    hashes = hashes_of(connection, target)
    tombstones.bury(connection, tombstones.SHA256, hashes, reason)
    of_urls = by_ids(connection, sa.select(url.c.url), url.c.id, target.urls)
    tombstones.bury(connection, tombstones.URL, {row.url for row in of_urls}, reason)


def _end_urls(connection: sa.Connection, ids: Sequence[int], reason: str) -> None:
    for part in answers.parts(sorted(ids)):
        left = url.c.id.in_(part) & (url.c.fate != FetchStatus.TAKEN_DOWN.value)
        connection.execute(
            sa.update(url)
            .where(locked(connection, url, left))
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
    """Remove a character from candidates, listings and questions."""
    _close_questions(connection, run_id, question.c.character_id == key, reason)
    answers.remove_about_character(connection, key)
    reviews.close(connection, characters=[key])
    connection.execute(sa.delete(discovery).where(discovery.c.character_id == key))
    connection.execute(
        sa.delete(mention).where(
            mention.c.character_id == key,
            mention.c.url_id.not_in(_withdrawn(tombstones.URL, url, url.c.url)),
        )
    )
    connection.execute(
        sa.delete(candidate).where(
            candidate.c.character_id == key,
            candidate.c.image_id.not_in(
                _withdrawn(tombstones.SHA256, image, image.c.sha256)
            ),
        )
    )
    connection.execute(
        sa.update(character)
        .where(character.c.id == key)
        .values(reference_face_id=None, reference_image_id=None, reference_by=None)
    )


def _withdrawn(
    kind: str, table: sa.Table, name: sa.Column[str]
) -> sa.Select[tuple[int]]:
    subjects = sa.select(tombstone.c.subject).where(tombstone.c.kind == kind)
    return sa.select(table.c.id).where(name.in_(subjects))


def _drop_images(
    connection: sa.Connection, run_id: int, ids: Sequence[int], reason: str
) -> None:
    for part in answers.parts(sorted(ids)):
        _drop(connection, run_id, "image", part, reason)
        answers.remove_about_images(connection, part)
        connection.execute(
            sa.update(character)
            .where(character.c.reference_image_id.in_(part))
            .values(reference_image_id=None)
        )


def _drop_faces(
    connection: sa.Connection, run_id: int, ids: Sequence[int], reason: str
) -> None:
    for part in answers.parts(sorted(ids)):
        _drop(connection, run_id, "face", part, reason, embedder=None)
        about = question.c.face_id.in_(part)
        open_with = _open_with_reference(part)
        _close_questions(connection, run_id, sa.or_(about, open_with), reason)
        answers.remove_about_faces(connection, part)
        reviews.close(connection, faces=part)
        connection.execute(
            sa.delete(face_link).where(
                sa.or_(face_link.c.face_id.in_(part), face_link.c.other_id.in_(part))
            )
        )
    for part in answers.parts(ids):
        orphaned = sa.select(character.c.id).where(
            character.c.reference_face_id.in_(part)
        )
        for key in list(connection.execute(orphaned).scalars()):
            references.clear(connection, run_id, key)


def _drop(
    connection: sa.Connection,
    run_id: int,
    subject: str,
    ids: Sequence[int],
    reason: str,
    **more: None,
) -> None:
    """Mark images or faces as taken down, unless they are marked already."""
    table = {"image": image, "face": face}[subject]
    new = lock(connection, table, table.c.id.in_(ids) & (table.c.reason != _CODE))
    _record(connection, run_id, subject, new, reason)
    dropped = {"verdict": Verdict.DROPPED.value, "reason": _CODE, "awaits": None}
    connection.execute(
        sa.update(table).where(table.c.id.in_(new)).values({**dropped, **more})
    )


def _open_with_reference(faces: Sequence[int]) -> sa.ColumnElement[bool]:
    """Match unsettled questions with one of these faces as the reference.

    Settled ones stay: their answer is about the other face.
    """
    is_open = question.c.label.in_([Label.OPEN.value, Label.DISPUTED.value])
    return sa.and_(is_open, question.c.reference_face_id.in_(faces))


def _close_questions(
    connection: sa.Connection,
    run_id: int,
    where: sa.ColumnElement[bool],
    reason: str,
) -> None:
    """Delete questions with their answers; the ledger keeps their decisions."""
    query = sa.select(question.c.id).where(where)
    ids = list(connection.execute(query).scalars())
    _record(connection, run_id, "question", ids, reason)
    answers.remove_questions(connection, ids)


def _record(
    connection: sa.Connection,
    run_id: int,
    subject: str,
    ids: Sequence[int],
    reason: str,
) -> None:
    dropped = Verdict.DROPPED.value
    decisions = [
        ledger.Decision(subject, key, STEP, dropped, _CODE, message=reason)
        for key in ids
    ]
    ledger.append(connection, run_id, decisions)
