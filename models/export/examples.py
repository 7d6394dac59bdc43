"""Faces and pictures of training data: some to measure ranges, others to judge by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadInput, WrongUse
from icf.images import Undecodable, decode
from icf.models.data.base import LabelledFace, LabelledPicture, Reader
from icf.models.embedding import crop_face

Pixels = NDArray[np.uint8]

#: Pictures of each source that are looked at, from its beginning.
_LOOKED_AT = 20_000


@dataclass(frozen=True, eq=False)
class FaceExamples:
    """Crops of faces.

    Attributes:
        ranges: for the ranges between layers.
        held_out: others, of other identities.
        identity: whose the held-out ones are, as numbers.
        picture: which picture each of these is from.
    """

    ranges: Sequence[Pixels]
    held_out: Sequence[Pixels]
    identity: NDArray[np.int64]
    picture: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PictureExamples:
    """Pictures with boxes.

    Attributes:
        ranges: for the ranges between layers.
        held_out: others, all of whose faces are known, each with its faces.
    """

    ranges: Sequence[Pixels]
    held_out: Sequence[tuple[Pixels, tuple[LabelledFace, ...]]]


def face_examples(
    readers: Sequence[Reader], rate: float, ranges: int, held_out: int, seed: int
) -> FaceExamples:
    """Cut faces: of half of the identities for ranges, of the others to judge by.

    Args:
        readers: of the data.
        rate: by which boxes are enlarged.
        ranges: number of faces for the ranges.
        held_out: number of faces to judge by; only of identities with several.
        seed: of the choice.

    Raises:
        WrongUse: there are too few identities with two faces or more.
    """
    faces: dict[str, list[tuple[int, str, LabelledFace]]] = defaultdict(list)
    for number, picture in _pictures(readers):
        for face in picture.faces:
            if face.identity is not None and not face.ignored:
                faces[f"{number} {face.identity}"].append((number, picture.key, face))
    several = sorted(name for name, own in faces.items() if len(own) > 1)
    if len(several) < 4:
        raise WrongUse(
            f"the data has {len(several)} identities with two faces or more; at least "
            "4 are needed, 2 to measure ranges on and 2 others to judge the model by"
        )
    random = np.random.default_rng(seed)
    order = [several[at] for at in random.permutation(len(several))]
    half = len(order) // 2
    first = [each for name in order[:half] for each in faces[name]][:ranges]
    second = [(name, each) for name in order[half:] for each in faces[name]][:held_out]
    cut = _Cropper(readers, rate)
    kept = [(name, each, cut(*each)) for name, each in second]
    whole = [(name, each, crop) for name, each, crop in kept if crop is not None]
    pictures = [f"{number} {key}" for _, (number, key, _), _ in whole]
    return FaceExamples(
        [crop for each in first if (crop := cut(*each)) is not None],
        [crop for _, _, crop in whole],
        np.unique([name for name, _, _ in whole], return_inverse=True)[1],
        np.unique(pictures, return_inverse=True)[1],
    )


def picture_examples(
    readers: Sequence[Reader], ranges: int, held_out: int, seed: int
) -> PictureExamples:
    """Read pictures; those to judge by have all their faces labelled.

    Args:
        readers: of the data.
        ranges: number of pictures for the ranges.
        held_out: number of others.
        seed: of the choice.

    Raises:
        WrongUse: there are too few pictures with complete boxes.
    """
    found = [
        (number, picture)
        for number, picture in _pictures(readers)
        if picture.complete and any(face.box for face in picture.faces)
    ]
    if len(found) < 2:
        raise WrongUse(
            f"the data has {len(found)} pictures of which every face is labelled; at "
            "least 2 are needed, one to measure ranges on and one to judge the model by"
        )
    order = np.random.default_rng(seed).permutation(len(found))
    count = min(ranges, len(found) // 2)
    first, second = order[:count], order[count : count + held_out]
    decoded = {
        at: _decoded(readers[found[at][0]], found[at][1].key)
        for at in (*first, *second)
    }
    return PictureExamples(
        [pixels for at in first if (pixels := decoded[at]) is not None],
        [
            (pixels, found[at][1].faces)
            for at in second
            if (pixels := decoded[at]) is not None
        ],
    )


class _Cropper:
    """Cuts faces out, decoding a picture once for faces that follow each other."""

    def __init__(self, readers: Sequence[Reader], rate: float) -> None:
        self._readers, self._rate = readers, rate
        self._at: tuple[int, str] = (-1, "")
        self._pixels: Pixels | None = None

    def __call__(self, number: int, key: str, face: LabelledFace) -> Pixels | None:
        if (number, key) != self._at:
            self._at = number, key
            self._pixels = _decoded(self._readers[number], key)
        if self._pixels is None or face.box is None:
            return self._pixels
        return crop_face(self._pixels, face.box, self._rate)


def _pictures(readers: Sequence[Reader]) -> Iterator[tuple[int, LabelledPicture]]:
    for number, reader in enumerate(readers):
        count = 0
        for each in reader.pictures():
            if not isinstance(each, LabelledPicture):
                continue
            yield number, each
            count += 1
            if count == _LOOKED_AT:
                break


def _decoded(reader: Reader, key: str) -> Pixels | None:
    try:
        return decode(reader.read(key)).pixels
    except (BadInput, Undecodable):
        return None
