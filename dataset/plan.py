"""The contents of a release: which picture and face is in which split, and its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from icf.codes import Unused
from icf.dataset.after import Followed, fix, what_became
from icf.dataset.before import Before
from icf.dataset.near_duplicates import Reach
from icf.dataset.order import Order
from icf.dataset.problem import make_problem
from icf.dataset.protocol_file import ProtocolFile
from icf.dataset.selection import Selection
from icf.dataset.splits.make import Problem, make_splits
from icf.dataset.splits.parts import REASONS, DetectionPictures, Splits
from icf.dataset.splits.protocol import Protocol
from icf.settings import DatasetSettings

IntArray = npt.NDArray[np.int64]

RECTRAIN = "personai_icartoonface_rectrain"
RECTEST = "personai_icartoonface_rectest"
DETTRAIN = "personai_icartoonface_dettrain"
DETTEST = "personai_icartoonface_detval"

NEAR_TEST = "near-duplicates of the test"
#: Why no part takes other pictures of the detection set.
BEYOND = "recognition has them on the other side, or their part is full"

#: How the true boxes of the detection set came about; every release says it.
VERIFIED_TRUTH = (
    "Boxes that people verified: in each picture they looked for every drawn face, "
    "accepted, moved or deleted what the detector proposed, and drew what it missed. "
    "Pictures that they box without seeing proposals, where there are any, tell what "
    "proposals hide."
)
PROPOSED_TRUTH = (
    "The detector's boxes of drawn faces that people confirmed as their character. "
    "Only pictures in which every drawn face found was confirmed are in the set. "
    "Nobody drew boxes by hand or looked for faces that the detector missed."
)


def detection_truth(selection: Selection) -> str:
    """Say how the true boxes of a release were made."""
    if selection.verified is not None:
        truth = VERIFIED_TRUTH
        if not selection.verified:
            truth = "People have verified the boxes of no picture yet."
    else:
        truth = PROPOSED_TRUTH
    if selection.accepted:
        truth = truth.replace(
            "was confirmed are", "was confirmed, or accepted by the embedder, are"
        )
    if selection.followers:
        truth = truth.replace(
            "that people confirmed as their character",
            "that people confirmed as their character, or another face of their track",
        )
    if selection.given:
        truth += (
            f" Of {selection.given:,} other pictures, boxes of all faces came with a "
            "published set, and are as its makers drew them."
        )
    return truth


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture of the release.

    Attributes:
        path: its name below the folder of its split, as iCartoonFace has it; unique
            within the split.
        picture: its row in `icf.dataset.selection.Pictures`.
        face: the row of its labelled face; -1 in the detection set.
        label: the identity's number; -1 for distractors and in the detection set.
    """

    path: str
    picture: int
    face: int = -1
    label: int = -1


@dataclass(frozen=True, eq=False)
class Plan:
    """Which picture and face is in which split.

    Attributes:
        selection: the faces and pictures to choose from.
        splits: rows of its faces; for detection, rows of its *pictures*.
        crops: how far boxes are enlarged to cut the pictures of the recognition set
            out; None: they are whole files, as fetched.
        followed: what became of the earlier release that it comes after.
    """

    selection: Selection
    splits: Splits
    crops: float | None = None
    followed: Followed | None = None

    @cached_property
    def labels(self) -> dict[int, int]:
        """The label of each identity: those in train first, then the unseen."""
        faces = self.selection.faces
        train = np.unique(faces.identity[self.splits.train])
        probes = np.unique(faces.identity[self.splits.probes])
        unseen = np.setdiff1d(probes, train)
        order = self._order.by_identity
        ordered = [*order(train), *order(unseen)]
        if self.followed is None:
            return {identity: number for number, identity in enumerate(ordered)}
        return self._labels_after(ordered, self.followed.labels)

    def _labels_after(
        self, ordered: Sequence[int], known: Mapping[tuple[str, str], int]
    ) -> dict[int, int]:
        """Keep the earlier release's numbers; new identities come behind them."""
        labels: dict[int, int] = {}
        following = max(known.values(), default=-1) + 1
        for identity in ordered:
            who = self.selection.identities[identity]
            label = known.get((who.album, who.character))
            if label is None:
                label, following = following, following + 1
            labels[identity] = label
        return dict(sorted(labels.items(), key=lambda each: each[1]))

    @cached_property
    def train(self) -> tuple[Placed, ...]:
        """The recognition set's training pictures, one folder per identity."""
        return tuple(self._train())

    @cached_property
    def test(self) -> tuple[Placed, ...]:
        """The recognition set's test pictures: probes by label, then distractors."""
        faces = self.selection.faces
        probes = [
            (self.labels[int(faces.identity[row])], row)
            for row in self._ordered(self.splits.probes)
        ]
        distractors = [(-1, row) for row in self._ordered(self.splits.distractors)]
        by_label = sorted(probes, key=itemgetter(0))
        return tuple(
            self._placed(f"{RECTEST}_{number:07d}", row, label)
            for number, (label, row) in enumerate([*by_label, *distractors])
        )

    @cached_property
    def detection_train(self) -> tuple[Placed, ...]:
        """The detection set's training pictures; the published ones begin at 1."""
        return self._detection(DETTRAIN, self.splits.detection_train, 1)

    @cached_property
    def detection_test(self) -> tuple[Placed, ...]:
        """The detection set's test pictures."""
        return self._detection(DETTEST, self.splits.detection_test, 0)

    def placed(self) -> Iterator[Placed]:
        """Yield everything that the release has a file of, in a fixed order."""
        yield from self.train
        yield from self.test
        yield from self.detection_train
        yield from self.detection_test

    @property
    def has_faces(self) -> bool:
        """Whether there is a recognition set, or detection alone."""
        return bool(self.selection.identities)

    @property
    def counts(self) -> dict[str, int]:
        """The size of each part of the release."""
        faces, splits = self.selection.faces, self.splits
        train = np.unique(faces.identity[splits.train])
        probes = np.unique(faces.identity[splits.probes])
        seen = int(np.isin(probes, train).sum())
        boxes = self.selection.pictures.boxes
        unasked, accepted = len(self.selection.unasked), len(self.selection.accepted)
        followers = len(self.selection.followers)
        return {
            "identities": len(np.unique(faces.identity)),
            "confirmed_faces": len(faces.face) - unasked - accepted - followers,
            **({"unasked_references": unasked} if unasked else {}),
            **({"accepted_faces": accepted} if accepted else {}),
            **({"followers": followers} if followers else {}),
            "train_identities": len(train),
            "train_faces": len(splits.train),
            "seen_probe_identities": seen,
            "unseen_probe_identities": len(probes) - seen,
            "probes": len(splits.probes),
            "distractors": len(splits.distractors),
            "detection_train_pictures": len(splits.detection_train),
            "detection_train_boxes": sum(len(boxes[i]) for i in splits.detection_train),
            "detection_test_pictures": len(splits.detection_test),
            "detection_test_boxes": sum(len(boxes[i]) for i in splits.detection_test),
        }

    @property
    def unused(self) -> dict[str, int]:
        """Why confirmed faces are in no part of the recognition set, with counts.

        Together with train, probes and distractors these are all confirmed faces.
        """
        why = self.splits.why
        counts = np.bincount(why[why >= 0], minlength=len(REASONS))
        placed = {
            code.value: int(count)
            for code, count in zip(REASONS, counts, strict=True)
            if count
        }
        return {**placed, **self.selection.excluded.counts}

    @property
    def held_back(self) -> dict[str, int]:
        """Faces and detection pictures that are near-duplicates of the test."""
        return {
            "faces": self.unused.get(Unused.NEAR_TEST.value, 0),
            "detection_pictures": self.splits.near_detection,
        }

    def _train(self) -> Iterator[Placed]:
        faces = self.selection.faces
        next_number: dict[int, int] = {}
        rows = [
            (self.labels[int(faces.identity[row])], row)
            for row in self._ordered(self.splits.train)
        ]
        for label, row in sorted(rows, key=itemgetter(0)):
            number = next_number.get(label, 0)
            next_number[label] = number + 1
            folder = f"{RECTRAIN}_{label:05d}"
            yield self._placed(f"{folder}/{folder}_{number:07d}", row, label)

    def _detection(self, stem: str, rows: IntArray, first: int) -> tuple[Placed, ...]:
        ordered = rows[np.argsort(self._order.pictures[rows], kind="stable")].tolist()
        return tuple(
            Placed(f"{stem}_{number:05d}.{self._suffix(row)}", row)
            for number, row in enumerate(ordered, first)
        )

    @cached_property
    def _order(self) -> Order:
        return Order.of(self.selection)

    def _ordered(self, rows: IntArray) -> list[int]:
        """Rows of faces in the order of their content."""
        places = self._order.faces[rows]
        return [int(each) for each in rows[np.argsort(places, kind="stable")]]

    def _placed(self, stem: str, row: int, label: int) -> Placed:
        picture = int(self.selection.faces.picture[row])
        suffix = "jpg" if self.crops is not None else self._suffix(picture)
        return Placed(f"{stem}.{suffix}", picture, row, label)

    def _suffix(self, picture: int) -> str:
        name = self.selection.pictures.format[picture]
        return "jpg" if name == "jpeg" else name or "bin"


def make_plan(
    selection: Selection,
    settings: DatasetSettings,
    reach: Reach,
    seed: int,
    before: Before | None = None,
    protocol: ProtocolFile | None = None,
) -> Plan:
    """Divide a selection.

    Args:
        selection: what a release can contain.
        settings: the sizes of the parts.
        reach: what near-duplicates are.
        seed: of all chances.
        before: an earlier release, whose faces stay where they were.
        protocol: who is in the test, and how it is balanced; None: as in the paper.

    Raises:
        WrongUse: too few faces for a test, or nothing is left in train.
    """
    if protocol is not None:
        settings = protocol.settings(settings)
    problem, ids, complete = make_problem(selection, files_apart=settings.files_apart)
    if protocol is not None:
        problem = _by_protocol(problem, selection, ids, complete, protocol, seed)
    if before is not None:
        problem = fix(problem, selection, ids, complete, before, reach)
    made = make_splits(problem, Protocol.of_settings(settings), reach, seed)
    followed = None
    if before is not None:
        followed = what_became(selection, made, complete, before)
    splits = replace(
        made,
        detection_train=complete[made.detection_train],
        detection_test=complete[made.detection_test],
    )
    return Plan(selection, splits, followed=followed)


def _by_protocol(
    problem: Problem,
    selection: Selection,
    ids: IntArray,
    complete: IntArray,
    protocol: ProtocolFile,
    seed: int,
) -> Problem:
    identities = [selection.identities[each] for each in ids.tolist()]
    natures = [selection.natures.get(each) for each in ids.tolist()]
    cast = replace(
        problem.cast,
        held_out=protocol.held_out(problem.cast.key, identities, seed),
        stratum=protocol.strata(identities, natures),
    )
    albums = [
        who.album_id for who, out in zip(identities, cast.held_out, strict=True) if out
    ]
    return replace(
        problem,
        cast=cast,
        pictures=_held_out(problem.pictures, selection, complete, albums),
    )


def _held_out(
    pictures: DetectionPictures,
    selection: Selection,
    complete: IntArray,
    albums: Sequence[int],
) -> DetectionPictures:
    """Keep pictures of albums that are in the test alone out of detection's train."""
    image, album = selection.filed.T
    inside = np.isin(selection.pictures.image[complete], image[np.isin(album, albums)])
    return replace(pictures, held_out=inside)
