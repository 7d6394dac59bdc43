"""Fix what an earlier release had: its faces stay, and new ones are placed around them.

A face that was once in a test never trains, and the other way round; nor does what is
close to it. Identities keep their roles and numbers, also two that the filter alone
suspects to be one, where the data set that they were imported from names them as two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from icf.dataset.before import Before
from icf.dataset.near_duplicates import Hashes, Reach, find_near
from icf.dataset.problem import families
from icf.dataset.selection import Identity, Selection
from icf.dataset.splits.make import Problem
from icf.dataset.splits.parts import (
    REASONS,
    BoolArray,
    Fixed,
    IntArray,
    Part,
    Role,
    Splits,
)

#: Of an old face: its picture or the face is in the catalogue no more, or nobody says
#: any more whom it shows.
GONE = "gone"


@dataclass(frozen=True)
class Followed:
    """What became of an earlier release.

    Attributes:
        inputs: the earlier release's id.
        labels: the numbers of its identities, by album and character.
        kept: number of its faces that are where they were.
        left_out: number of those that are not in the new one, by reason.
        new: number of faces that it did not have.
        pictures_kept: number of its detection pictures that are where they were.
        pictures_left_out: number of its detection pictures that are in no part now.
        doubted: pairs of its identities, ALBUM/CHARACTER, that the filter suspects to
            be one, and that are where they were.
        now_probes: number of its distractors that are probes now, as their character
            turned out to be one that has probes.
    """

    inputs: str
    labels: Mapping[tuple[str, str], int]
    kept: int
    left_out: Mapping[str, int]
    new: int
    pictures_kept: int
    pictures_left_out: int
    doubted: tuple[tuple[str, str], ...] = ()
    now_probes: int = 0

    def as_json(self) -> dict[str, object]:
        """Return what ``release.json`` says of it."""
        return {
            "inputs": self.inputs,
            "kept": self.kept,
            "left_out": dict(self.left_out),
            "new": self.new,
            "detection_pictures_kept": self.pictures_kept,
            "detection_pictures_left_out": self.pictures_left_out,
            **({"doubted": len(self.doubted)} if self.doubted else {}),
            **({"now_probes": self.now_probes} if self.now_probes else {}),
        }


def fix(
    problem: Problem,
    selection: Selection,
    ids: IntArray,
    complete: IntArray,
    before: Before,
    reach: Reach,
) -> Problem:
    """Write into a problem what an earlier release had.

    Args:
        problem: as `icf.dataset.problem.make_problem` made it,
        selection: of this,
        ids: with the characters of its cast,
        complete: and the rows of its detection pictures.
        before: the earlier release.
        reach: what near-duplicates are.
    """
    faces, pictures = problem.faces, selection.pictures
    part, _ = _parts(selection, before)
    detection = _detection(selection, before)
    # By their bytes: a face of one may have other corners now, or no name.
    trained, tested = (
        np.isin(pictures.sha256, np.array(sorted(each), "S64"))
        for each in (before.trained, before.tested)
    )
    of_face = selection.faces.picture
    near = _near(faces.picture_hashes, pictures.hashes[trained], reach)
    near |= _near(faces.hashes, faces.hashes[trained[of_face]], reach)
    near_pictures = _near(problem.pictures.hashes, pictures.hashes[trained], reach)

    def on(which: BoolArray, of_faces: IntArray, of_pictures: IntArray) -> IntArray:
        """Both of what is on some pictures."""
        return np.concatenate((of_faces[which[of_face]], of_pictures[which[complete]]))

    close = faces.close, problem.pictures.close
    fixed = Fixed(
        np.unique(on(trained, *close)),
        np.unique(on(tested, *close)),
        near & ~np.isin(part, _TESTED),
        near_pictures & ~tested[complete],
    )
    groups = faces.picture, problem.pictures.picture
    on_trained = _on_pictures(problem, on(trained, *groups))
    roles = _roles(problem, selection, ids, before, part, on_trained)
    doubted = set(_doubted(selection, before))
    family = families(
        ids, (each for each in selection.may_be_one if each not in doubted)
    )
    return Problem(
        replace(problem.cast, before=roles, family=family),
        replace(faces, before=part),
        replace(problem.pictures, before=detection[complete]),
        fixed,
        problem.undivided,
    )


_TESTED = (Part.PROBE, Part.DISTRACTOR)


def _near(these: Hashes, those: Hashes, reach: Reach) -> BoolArray:
    return np.asarray(find_near(these, those, reach) >= 0, np.bool_)


def _on_pictures(problem: Problem, pictures: IntArray) -> IntArray:
    """Return the identities, rows of the cast, that groups of equal pictures show."""
    every = (problem.faces, problem.undivided)
    return np.concatenate(
        [each.identity[np.isin(each.picture, pictures)] for each in every]
    )


def _parts(selection: Selection, before: Before) -> tuple[IntArray, IntArray]:
    """Return where the faces of a selection were, and those that it excludes."""
    faces, pictures, out = selection.faces, selection.pictures, selection.excluded
    inside = pictures.sha256[faces.picture].astype("U64").tolist()
    outside = out.sha256.astype("U64").tolist()
    corners = np.concatenate((faces.corners, out.corners.reshape(-1, 4)))
    known = before.known([*inside, *outside], corners)
    parts = np.array(
        [Part.NONE if each is None else before.faces[each] for each in known], np.int64
    ).reshape(-1)
    return parts[: len(inside)], parts[len(inside) :]


def _detection(selection: Selection, before: Before) -> IntArray:
    names = selection.pictures.sha256.astype("U64").tolist()
    return np.array(
        [before.detection.get(each, Part.NONE) for each in names], np.int64
    ).reshape(-1)


def _roles(
    problem: Problem,
    selection: Selection,
    ids: IntArray,
    before: Before,
    part: IntArray,
    on_trained: IntArray,
) -> IntArray:
    """The role of each identity, by its name and by what its faces were for.

    One that was not there, and has a face on a picture that was trained on, cannot be
    held out any more.
    """
    identity = problem.faces.identity
    has = {
        each: np.bincount(identity[part == each], minlength=len(ids)) > 0
        for each in (Part.TRAIN, Part.PROBE, Part.DISTRACTOR)
    }
    for row, each in enumerate(ids.tolist()):
        who = selection.identities[each]
        for known in before.names.get((who.album, who.character), ()):
            has[known][row] = True
    roles = np.full(len(ids), Role.NEW.value)
    roles[on_trained] = Role.TRAIN
    roles[has[Part.DISTRACTOR]] = Role.DISTRACTOR
    roles[has[Part.PROBE]] = Role.UNSEEN
    roles[has[Part.TRAIN]] = Role.TRAIN
    roles[has[Part.TRAIN] & has[Part.PROBE]] = Role.SEEN
    return roles


def _doubted(selection: Selection, before: Before) -> list[tuple[int, int]]:
    """Pairs of characters that stay where they were, though they may be one."""

    def was_there(each: int) -> bool:
        who = selection.identities[each]
        return bool(before.names.get((who.album, who.character)))

    return [pair for pair in selection.named_apart if all(map(was_there, pair))]


def _called(who: Identity) -> str:
    return f"{who.album}/{who.character}"


def what_became(
    selection: Selection, splits: Splits, complete: IntArray, before: Before
) -> Followed:
    """Count what is kept of an earlier release, what is left out, and what is new.

    Args:
        selection: what was divided,
        splits: into these,
        complete: with the rows of its detection pictures.
        before: the earlier release.
    """
    own = before.own()
    part, outside = _parts(selection, own)
    now = np.full(len(part), Part.NONE.value)
    now[splits.train] = Part.TRAIN
    now[splits.probes] = Part.PROBE
    now[splits.distractors] = Part.DISTRACTOR
    old = part != Part.NONE
    out = old & (now == Part.NONE)
    left_out = Counter(REASONS[why].value for why in splits.why[out].tolist())
    reasons = zip(selection.excluded.reason, outside.tolist(), strict=True)
    filtered = Counter(why for why, part_of in reasons if part_of != Part.NONE)
    left_out += filtered
    gone = len(own.faces) - int(old.sum()) - filtered.total()
    if gone > 0:
        left_out[GONE] = gone
    pictures = _detection(selection, own)[complete]
    placed = np.full(len(pictures), Part.NONE.value)
    placed[splits.detection_train] = Part.TRAIN
    placed[splits.detection_test] = Part.TEST
    stayed = int(((pictures != Part.NONE) & (pictures == placed)).sum())
    known = selection.identities
    doubted = [
        (_called(known[one]), _called(known[other]))
        for one, other in _doubted(selection, before)
    ]
    return Followed(
        before.inputs,
        before.labels,
        int((old & (now == part)).sum()),
        dict(sorted(left_out.items())),
        int((~old & (now != Part.NONE)).sum()),
        stayed,
        len(own.detection) - stayed,
        tuple(sorted(doubted)),
        int(((part == Part.DISTRACTOR) & (now == Part.PROBE)).sum()),
    )
