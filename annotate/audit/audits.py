"""Audits in the catalogue: plan one, find the one that is open, end it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.annotate.audit.population import FinalLabel, hash_labels, read_labels
from icf.annotate.audit.sample import Drawn, Goal, Part, draw
from icf.catalogue.annotation.audits import (
    ACCEPT,
    ACCEPT_OF_TEST,
    REJECT,
    IntArray,
    last_test,
    pack,
)
from icf.catalogue.annotation.schema import (
    label_audit,
    label_audit_answer,
    label_audit_item,
)
from icf.catalogue.bulk_insert import insert_all, insert_into
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import character
from icf.errors import WrongUse
from icf.settings import Settings


@dataclass(frozen=True)
class Audit:
    """An audit that was planned.

    Attributes:
        id: in the catalogue.
        seed: that the sample was drawn with.
        goal: what it is to prove.
        parts: what it was drawn from, by name.
        labels_sha256: of all labels that it was drawn from.
        release: path of the release whose test is a part; None: there was none.
        planned_at: UTC epoch seconds.
        ended_at: when it got its result, or was given up; None: it is open.
        certificate: None where it has none.
    """

    id: int
    seed: int
    goal: Goal
    parts: Mapping[str, Part]
    labels_sha256: str
    release: str | None
    planned_at: float
    ended_at: float | None
    certificate: Mapping[str, Any] | None


def plan(
    connection: sa.Connection,
    settings: Settings,
    goal: Goal,
    seed: int,
    *,
    replace: bool = False,
) -> Audit:
    """Plan an audit of the labels as they are now; the same call again returns it.

    Args:
        connection: a transaction that writes.
        settings: which say what a release contains.
        goal: what is to be proved.
        seed: another one draws other labels.
        replace: give up the audit that is open.

    Raises:
        WrongUse: another audit is open; or nothing is labelled *same*; or an audit of
            the very same labels did not get its certificate, so that another sample
            would only be a second try.
    """
    current = find_open(connection)
    if current is not None and (current.seed, current.goal) == (seed, goal):
        return current
    if current is not None and not replace:
        raise WrongUse(
            f"audit {current.id} is open; finish it (`icf-annotate audit result` says "
            "what is missing), or give it up with --replace"
        )
    labels = read_labels(connection, settings)
    sha256 = hash_labels(labels)
    again = _same_labels(connection, sha256, goal, seed)
    if again is not None and current is None:
        return again
    if current is not None:
        end(connection, current.id)
    _refuse_second_try(connection, sha256)
    if not any(each.label == "same" for each in labels):
        raise WrongUse(
            "no face is labelled as its character, so there is nothing to audit: "
            "import answers first (`icf-annotate status` counts the labels)"
        )
    test = last_test(connection)
    faces = set(test[1].tolist()) if test else set()
    sample = draw(labels, faces, goal, seed)
    values = {
        "seed": seed,
        "max_error": goal.max_error,
        "confidence": goal.confidence,
        "plan": json.dumps(
            {
                "allowed": goal.allowed,
                "finite": goal.finite,
                "parts": {name: asdict(part) for name, part in sample.parts.items()},
                "release": test[0] if test else None,
            }
        ),
        "labels_sha256": sha256,
        "planned_at": time.time(),
        "labels": pack(_table(labels, faces)),
    }
    insert = sa.insert(label_audit).values(values).returning(label_audit.c.id)
    key: int = connection.execute(insert).scalar_one()
    _insert_items(connection, key, sample.drawn, labels)
    made = find(connection, key)
    assert made is not None
    return made


def find_open(connection: sa.Connection) -> Audit | None:
    """Read the audit that is open, if any."""
    return _read_one(connection, label_audit.c.ended_at.is_(None))


def find_last(connection: sa.Connection) -> Audit | None:
    """Read the newest audit, open or not."""
    return _read_one(connection, sa.true())


def find(connection: sa.Connection, audit_id: int) -> Audit | None:
    """Read one audit."""
    return _read_one(connection, label_audit.c.id == audit_id)


def end(
    connection: sa.Connection,
    audit_id: int,
    found: Mapping[str, Any] | None = None,
    *,
    certified: bool = False,
) -> None:
    """End an audit; no answer is taken after that.

    Args:
        connection: a transaction that writes.
        audit_id: of the audit.
        found: what it found; None: it is given up.
        certified: whether that is a certificate.
    """
    now = time.time()
    values = {
        "ended_at": now,
        "certificate": None if found is None else json.dumps(found),
        "certified_at": now if certified else None,
    }
    update = sa.update(label_audit).where(label_audit.c.id == audit_id)
    connection.execute(update.values(values))


def count_earlier(connection: sa.Connection, audit_id: int) -> int:
    """Count the earlier audits that people looked at and that got no certificate."""
    return count_rows(
        connection,
        label_audit,
        label_audit.c.id < audit_id,
        label_audit.c.certified_at.is_(None),
        _was_looked_at(),
    )


def _read_one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Audit | None:
    columns = [each for each in label_audit.c if each.name != "labels"]
    query = sa.select(*columns).where(where).order_by(label_audit.c.id.desc())
    row = connection.execute(query.limit(1)).first()
    return _audit(row) if row else None


def _audit(row: sa.Row[Any]) -> Audit:
    planned = json.loads(row.plan)
    return Audit(
        row.id,
        row.seed,
        Goal(row.max_error, row.confidence, planned["allowed"], planned["finite"]),
        {name: Part(**part) for name, part in planned["parts"].items()},
        row.labels_sha256,
        planned["release"],
        row.planned_at,
        row.ended_at,
        json.loads(row.certificate) if row.certified_at is not None else None,
    )


def _same_labels(
    connection: sa.Connection, sha256: str, goal: Goal, seed: int
) -> Audit | None:
    """Find an audit that ended and that the same call planned of the same labels."""
    ended = label_audit.c.ended_at.is_not(None)
    found = _read_one(connection, ended & (label_audit.c.labels_sha256 == sha256))
    same = found is not None and (found.seed, found.goal) == (seed, goal)
    return found if same else None


def _refuse_second_try(connection: sa.Connection, sha256: str) -> None:
    query = sa.select(label_audit.c.id).where(
        label_audit.c.labels_sha256 == sha256,
        label_audit.c.certified_at.is_(None),
        _was_looked_at(),
    )
    first = connection.execute(query.limit(1)).scalar()
    if first is not None:
        raise WrongUse(
            f"audit {first} of the very same labels got no certificate; whoever draws "
            "samples until one has few errors proves nothing. Correct labels first: "
            "see `icf-annotate audit result`"
        )


def _was_looked_at() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        label_audit_item.c.audit_id == label_audit.c.id,
        label_audit_answer.c.item_id == label_audit_item.c.id,
    )


def _table(labels: Sequence[FinalLabel], test: Collection[int]) -> IntArray:
    rows = sorted(
        (each.face_id, each.character_id, _kind(each, test)) for each in labels
    )
    return np.array(rows, np.int64).reshape(-1, 3)


def _kind(label: FinalLabel, test: Collection[int]) -> int:
    if label.label == "different":
        return REJECT
    return ACCEPT_OF_TEST if label.face_id in test else ACCEPT


def _insert_items(
    connection: sa.Connection,
    audit_id: int,
    drawn: Sequence[Drawn],
    labels: Sequence[FinalLabel],
) -> None:
    shown = _references(connection, labels)
    rows = [
        {
            "audit_id": audit_id,
            "face_id": each.label.face_id,
            "character_id": each.label.character_id,
            "reference_face_id": shown.get(each.label.character_id, each.label.face_id),
            "label": each.label.label,
            "part": ",".join(each.parts),
        }
        for each in drawn
    ]
    insert_all(connection, insert_into(connection, label_audit_item), rows)


def _references(
    connection: sa.Connection, labels: Sequence[FinalLabel]
) -> dict[int, int]:
    """The face to compare with of each character: its reference, or one of its own."""
    chosen = sa.select(character.c.id, character.c.reference_face_id)
    references = {
        row.id: row.reference_face_id
        for row in connection.execute(chosen)
        if row.reference_face_id is not None
    }
    own: dict[int, int] = {}
    for each in labels:
        if each.label == "same":
            own.setdefault(each.character_id, each.face_id)
    return own | references
