"""From confirmed faces to what stands in each file of a release, under which name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from icf.dataset.near_duplicates import Reach, find_near
from icf.dataset.selection import Selection
from icf.dataset.splits import (
    ConfirmedFaces,
    DetectionPictures,
    Protocol,
    Splits,
    hold_back,
    make_splits,
)
from icf.errors import WrongUse
from icf.settings import DatasetSettings

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

RECTRAIN = "personai_icartoonface_rectrain"
RECTEST = "personai_icartoonface_rectest"
DETTRAIN = "personai_icartoonface_dettrain"
DETTEST = "personai_icartoonface_detval"

#: How the true boxes of the detection set came about; every release says it.
DETECTION_TRUTH = (
    "The detector's boxes of drawn faces that people confirmed as their character. "
    "Only pictures in which every drawn face found was confirmed are in the set. "
    "Nobody drew boxes by hand or looked for faces that the detector missed."
)


@dataclass(frozen=True)
class Placed:
    """A picture of the release.

    Attributes:
        path: where it lies below its archive's folder.
        picture: its row in `icf.dataset.selection.Pictures`.
        face: the row of the face it is there for; -1 in the detection set.
        label: the identity's number; -1 for distractors and in the detection set.
    """

    path: str
    picture: int
    face: int = -1
    label: int = -1


@dataclass(frozen=True, eq=False)
class Plan:
    """What goes where.

    Attributes:
        selection: what there was.
        splits: rows of its faces; for detection, rows of its *pictures*.
        held_back: how many rows train gave up because test shows nearly the same.
    """

    selection: Selection
    splits: Splits
    held_back: Mapping[str, int]

    @cached_property
    def labels(self) -> dict[int, int]:
        """The number of each identity: those in train first, then the unseen."""
        faces = self.selection.faces
        train = np.unique(faces.identity[self.splits.train])
        probes = np.unique(faces.identity[self.splits.probes])
        unseen = np.setdiff1d(probes, train)
        ordered = [*train.tolist(), *unseen.tolist()]
        return {identity: number for number, identity in enumerate(ordered)}

    @cached_property
    def train(self) -> tuple[Placed, ...]:
        """The recognition set's training pictures, one folder an identity."""
        return tuple(self._train())

    @cached_property
    def test(self) -> tuple[Placed, ...]:
        """Its test pictures: probes by label, then distractors."""
        faces = self.selection.faces
        probes = [
            (self.labels[int(faces.identity[row])], int(row))
            for row in self.splits.probes
        ]
        distractors = [(-1, int(row)) for row in self.splits.distractors]
        return tuple(
            self._placed(f"{RECTEST}_{number:07d}", row, label)
            for number, (label, row) in enumerate([*sorted(probes), *distractors])
        )

    @cached_property
    def detection_train(self) -> tuple[Placed, ...]:
        """The detection set's training pictures; the published ones begin at 1."""
        return self._detection(DETTRAIN, self.splits.detection_train, 1)

    @cached_property
    def detection_test(self) -> tuple[Placed, ...]:
        """Its test pictures."""
        return self._detection(DETTEST, self.splits.detection_test, 0)

    @property
    def counts(self) -> dict[str, int]:
        """How many of everything."""
        faces, splits = self.selection.faces, self.splits
        train = np.unique(faces.identity[splits.train])
        probes = np.unique(faces.identity[splits.probes])
        seen = int(np.isin(probes, train).sum())
        boxes = self.selection.pictures.boxes
        return {
            "identities": len(np.unique(faces.identity)),
            "confirmed_faces": len(faces.face),
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

    def _train(self) -> Iterator[Placed]:
        faces = self.selection.faces
        next_number: dict[int, int] = {}
        rows = [
            (self.labels[int(faces.identity[row])], int(row))
            for row in self.splits.train
        ]
        for label, row in sorted(rows):
            number = next_number.get(label, 0)
            next_number[label] = number + 1
            folder = f"{RECTRAIN}_{label:05d}"
            yield self._placed(f"{folder}/{folder}_{number:07d}", row, label)

    def _detection(self, stem: str, rows: IntArray, first: int) -> tuple[Placed, ...]:
        return tuple(
            Placed(f"{stem}_{number:05d}.{self._suffix(int(row))}", int(row))
            for number, row in enumerate(rows, first)
        )

    def _placed(self, stem: str, row: int, label: int) -> Placed:
        picture = int(self.selection.faces.picture[row])
        return Placed(f"{stem}.{self._suffix(picture)}", picture, row, label)

    def _suffix(self, picture: int) -> str:
        name = self.selection.pictures.format[picture]
        return "jpg" if name == "jpeg" else name or "bin"


def make_plan(
    selection: Selection, settings: DatasetSettings, reach: Reach, seed: int
) -> Plan:
    """Split, then have train give up what test nearly shows.

    Raises:
        WrongUse: there is too little for a test, or train gave up everything.
    """
    faces, pictures = selection.faces, selection.pictures
    _, group = np.unique(pictures.pixel_hash, return_inverse=True)
    whole = np.flatnonzero(pictures.complete)
    numbers = _content_numbers(selection)
    splits = make_splits(
        ConfirmedFaces(
            numbers.face, numbers.identity, numbers.album, group[faces.picture]
        ),
        DetectionPictures(numbers.picture[whole], group[whole]),
        protocol_of(settings),
        seed,
    )
    away = _near_test(selection, splits, whole, reach)
    kept = hold_back(splits, away[faces.picture], away[whole])
    if not len(kept.train):
        raise WrongUse(
            "nothing is left to train on: every picture nearly equals one of the test; "
            "harvest more, or lower filter.max_phash and filter.max_dhash"
        )
    held_back = {
        "faces": len(splits.train) - len(kept.train),
        "detection_pictures": len(splits.detection_train) - len(kept.detection_train),
    }
    in_pictures = Splits(
        kept.train,
        kept.probes,
        kept.distractors,
        whole[kept.detection_train],
        whole[kept.detection_test],
    )
    return Plan(selection, in_pictures, held_back)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Rows numbered by what they are, not by when they were found.

    A harvest brings pictures in another order each time; the same pictures and answers
    must fall into the same splits all the same.
    """

    face: IntArray
    identity: IntArray
    album: IntArray
    picture: IntArray


def _content_numbers(selection: Selection) -> _Numbers:
    faces = selection.faces
    _, picture = np.unique(selection.pictures.sha256, return_inverse=True)
    x1, y1, x2, y2 = faces.corners.T
    order = np.lexsort((y2, x2, y1, x1, picture[faces.picture]))
    face = np.empty(len(order), np.int64)
    face[order] = np.arange(len(order))
    known = sorted(
        selection.identities.values(), key=lambda each: (each.album, each.character)
    )
    identity = {each.character_id: number for number, each in enumerate(known)}
    names = sorted({each.album for each in known})
    album = {each.album_id: names.index(each.album) for each in known}
    return _Numbers(
        face,
        np.array([identity[each] for each in faces.identity.tolist()], np.int64),
        np.array([album[each] for each in faces.album.tolist()], np.int64),
        picture,
    )


def protocol_of(settings: DatasetSettings) -> Protocol:
    """The protocol that the settings ask for."""
    return Protocol(
        min_faces=settings.min_faces,
        max_probes=settings.max_probes,
        seen_share=settings.seen_probe_share,
        unseen_share=settings.unseen_probe_share,
        distractor_share=settings.distractor_share,
        detection_test_share=settings.detection_test_share,
    )


def _near_test(
    selection: Selection, splits: Splits, whole: IntArray, reach: Reach
) -> BoolArray:
    """Which pictures of train nearly equal one of test, or a face in them does."""
    faces, pictures = selection.faces, selection.pictures
    in_test, in_train = (np.zeros(len(pictures.image), np.bool_) for _ in range(2))
    in_test[faces.picture[splits.probes]] = True
    in_test[faces.picture[splits.distractors]] = True
    in_test[whole[splits.detection_test]] = True
    in_train[faces.picture[splits.train]] = True
    in_train[whole[splits.detection_train]] = True
    away = np.zeros(len(pictures.image), np.bool_)
    hashes = pictures.hashes
    away[in_train] = find_near(hashes[in_train], hashes[in_test], reach) >= 0
    rows = np.flatnonzero(in_train[faces.picture])
    test_faces = faces.hashes[in_test[faces.picture]]
    near = find_near(faces.hashes[rows], test_faces, reach) >= 0
    away[faces.picture[rows[near]]] = True
    return away
