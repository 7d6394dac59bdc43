"""``unused.csv``: every confirmed face that a release does not use, with the reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icf.codes import FaceReason, Unused, meaning_of
from icf.dataset.plan import Plan
from icf.dataset.splits.parts import REASONS
from icf.errors import BadInput
from icf.spreadsheet import harmless, meant_by, write_csv

FILE = "unused.csv"
#: What releases of earlier versions do not have.
LATER = ("face_pixel_hash",)
_FIRST = ("sha256", "x1", "y1", "x2", "y2", "character", "album", "reason")
COLUMNS = (*_FIRST, *LATER)

#: Reasons of faces that a release cannot contain: they are not among those that were
#: divided, which ``release.json`` counts as confirmed.
_CANNOT = {
    *(Unused.OTHER_LICENCE, Unused.WITHOUT_EMBEDDING),
    *(Unused.CONFIRMED_FOR_TWO, Unused.UNASKED_REFERENCE),
}
#: Reasons of all others; the filter's reasons are of none of them.
DIVIDED = frozenset(each.value for each in Unused if each not in _CANNOT)

#: What releases of earlier versions say in ``release.json`` instead of codes.
_EARLIER = {
    "of_distractors": "of distractors, which give one face each",
    "of_unseen_identities": "of test-only identities, beyond max_probes",
    "near_duplicates_of_test": "near-duplicates of the test",
    "in_test_pictures": "in pictures of the test, or with a held-out identity",
}


@dataclass(frozen=True)
class UnusedFace:
    """A row of the file.

    Attributes:
        sha256: of the picture.
        corners: in the upright picture.
        character, album: whom people confirmed it as; empty: two characters.
        reason: of `icf.codes.Unused` or `icf.codes.FaceReason`.
        face_pixel_hash: of the face's pixels; empty: an earlier version did not say it.
    """

    sha256: str
    corners: tuple[float, float, float, float]
    character: str
    album: str
    reason: str
    face_pixel_hash: str = ""


def unused_faces(plan: Plan) -> Iterator[UnusedFace]:
    """Yield all of a plan: by picture and corners, those that were not divided last."""
    faces, pictures = plan.selection.faces, plan.selection.pictures
    why = plan.splits.why
    rows = np.flatnonzero(why >= 0)
    sha256 = pictures.sha256[faces.picture[rows]]
    order = np.lexsort((*faces.corners[rows].T[::-1], sha256))
    for row, name in zip(rows[order].tolist(), sha256[order].tolist(), strict=True):
        who = plan.selection.identities[int(faces.identity[row])]
        x1, y1, x2, y2 = faces.corners[row].tolist()
        reason = REASONS[why[row]].value
        yield UnusedFace(
            name.decode(),
            (x1, y1, x2, y2),
            who.character,
            who.album,
            reason,
            faces.pixel_hash[row].decode(),
        )
    out = plan.selection.excluded
    columns = zip(
        out.sha256.tolist(),
        out.corners.tolist(),
        out.character,
        out.album,
        out.reason,
        out.pixel_hash.tolist(),
        strict=True,
    )
    for name, corners, character, album, reason, pixels in columns:
        yield UnusedFace(
            name.decode(), tuple(corners), character, album, reason, pixels.decode()
        )


def write_unused(path: Path, plan: Plan) -> None:
    """Write the file; `read_unused` gives the same again."""
    write_csv(
        path,
        COLUMNS,
        (
            (
                each.sha256,
                *each.corners,
                harmless(each.character),
                harmless(each.album),
                each.reason,
                each.face_pixel_hash,
            )
            for each in unused_faces(plan)
        ),
    )


def read_unused(path: Path) -> list[UnusedFace]:
    """Read the file; columns are taken by name, and further ones passed over.

    Raises:
        BadInput: it is missing, a column is, or a corner is no number.
    """
    found = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            missing = set(_FIRST) - set(rows.fieldnames or ())
            if missing:
                raise BadInput(
                    f"{path}: line 1: no column {', '.join(sorted(missing))}"
                )
            for row in rows:
                x1, y1, x2, y2 = (float(row[name]) for name in COLUMNS[1:5])
                found.append(
                    UnusedFace(
                        row["sha256"],
                        (x1, y1, x2, y2),
                        meant_by(row["character"]),
                        meant_by(row["album"]),
                        row["reason"],
                        row.get("face_pixel_hash") or "",
                    )
                )
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    except (csv.Error, ValueError, TypeError) as error:
        raise BadInput(f"{path}: line {len(found) + 2}: {error}") from error
    return found


def unused_meaning(reason: str) -> str:
    """Say in words why faces are not used; also reasons of earlier versions."""
    if reason in _EARLIER:
        return _EARLIER[reason]
    codes = Unused if reason in {each.value for each in Unused} else FaceReason
    return meaning_of(codes, reason)
