"""The faces of an embedder's training: those trained on, and those measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from icf.errors import BadInput, WrongUse
from icf.models.data.crop_cache import CropCutter, Crops, cut_crops
from icf.models.data.index import UNKNOWN, DataIndex
from icf.models.training.embedder.centres import Cast, face_ids
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.crops import ROOM, Examples
from icf.models.training.embedder.figures import LabelledCrops
from icf.models.training.embedder.held_out import divide, stable_name
from icf.models.training.task import Given

#: Groups of figures.
HELD_OUT, TRAINED_ON = "held out", "trained on"

Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class TrainingFaces:
    """What an embedder is trained and measured on.

    Attributes:
        examples: what batches are drawn from.
        cast: whose they are.
        measured_on: crops by group, `HELD_OUT` or, where there are too few identities
            to hold any out, `TRAINED_ON`.
    """

    examples: Examples
    cast: Cast
    measured_on: Mapping[str, LabelledCrops]


def training_faces(given: Given, config: EmbedderConfig, side: int) -> TrainingFaces:
    """Divide the identities of the data, and cut their faces.

    Args:
        given: the data.
        config: of the run.
        side: of a crop, in pixels.

    Raises:
        BadInput: there are fewer than two identities, or fewer faces than a batch has
            of each.
        WrongUse: the batch cannot be divided into identities.
    """
    given.data.check_identities()
    rate = config.crops.rate
    assert rate is not None
    division = divide(given.data, config.held_out)
    roomy = CropCutter((1 + rate) * ROOM - 1, round(side * ROOM))
    labelled = _cut(given, roomy, division.trained)
    names, classes = _classes(given.data, labelled.faces)
    if len(names) < 2:
        raise BadInput(
            f"only {len(names)} identities have a face that could be cut; an embedder "
            "needs two at least"
        )
    _check_batch(given, config, len(labelled))
    numbers = {
        int(given.data.identity[f]): int(c)
        for f, c in zip(labelled.faces, classes, strict=True)
    }
    denials = _denials(given.data, numbers)
    denied = _cut(given, roomy, np.array(sorted(denials), np.intp))
    cast = Cast(names, face_ids(given.data, labelled.faces), classes)
    return TrainingFaces(
        _examples(given.data, labelled, classes, denied, denials),
        cast,
        _measured_on(given, config, side, division.trained, division.held_out),
    )


def _check_batch(given: Given, config: EmbedderConfig, count: int) -> None:
    batch, ways = config.loop.batch, config.crops.per_identity
    if batch % ways:
        raise WrongUse(
            f"loop.batch = {batch} is no multiple of crops.per_identity = {ways}"
        )
    if count < ways:
        raise BadInput(
            f"there are {count} faces to train on, fewer than crops.per_identity = "
            f"{ways}; lower it, or add data"
        )
    if count < batch:
        given.say(
            f"there are {count} faces to train on, fewer than loop.batch = {batch}: a "
            "batch has faces more than once"
        )


def _classes(
    data: DataIndex, faces: Numbers
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the classes, sorted, and the class of each face."""
    known, inverse = np.unique(data.identity[faces], return_inverse=True)
    names = [stable_name(data, int(number)) for number in known]
    order = sorted(range(len(names)), key=lambda number: names[number])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return tuple(names[number] for number in order), place[inverse]


def _denials(data: DataIndex, classes: Mapping[int, int]) -> dict[int, list[int]]:
    """Return, for each face of unknown identity, the classes that it is not."""
    found: dict[int, list[int]] = {}
    for face, identity in data.negatives.tolist():
        free = data.identity[face] == UNKNOWN and not data.ignored[face]
        if free and identity in classes:
            found.setdefault(face, []).append(classes[identity])
    return found


def _examples(
    data: DataIndex,
    labelled: Crops,
    classes: NDArray[np.int64],
    denied: Crops,
    denials: Mapping[int, list[int]],
) -> Examples:
    faces = np.concatenate([labelled.faces, denied.faces])
    pictures = data.picture[faces]
    own = pictures[: len(labelled)].astype(np.intp)
    stated = any(source.share is not None for source in data.sources)
    return Examples(
        crops=(labelled, denied),
        views=np.where(np.isnan(data.boxes[faces, 0]), 1.0, 1 / ROOM),
        labels=classes,
        denied=tuple(tuple(denials[int(face)]) for face in denied.faces),
        human=data.human[labelled.faces],
        sources=data.source[own],
        shares=data.shares(own) if stated else None,
        names=_PictureNames(data, pictures),
    )


def _measured_on(
    given: Given, config: EmbedderConfig, side: int, trained: Numbers, out: Numbers
) -> dict[str, LabelledCrops]:
    """Cut the crops to measure on, exactly as the filter does before it embeds them."""
    faces, group = out, HELD_OUT
    if not len(faces):
        faces, group = _of_several(given.data, trained), TRAINED_ON
        given.say(
            "no identities are held out, as there are too few, or too many share "
            "pictures: the figures will be of faces that were trained on"
        )
    # Whole identities, until there are enough.
    random = np.random.default_rng(config.held_out.seed)
    identity = given.data.identity[faces]
    order = random.permutation(np.unique(identity))
    sizes = np.bincount(identity)[order]
    taken = max(2, int(np.searchsorted(sizes.cumsum(), config.held_out.most, "right")))
    faces = faces[np.isin(identity, order[:taken])]
    assert config.crops.rate is not None
    crops = _cut(given, CropCutter(config.crops.rate, side), faces)
    pixels = np.empty((len(crops), side, side, 3), np.uint8)
    for number in range(len(crops)):
        pixels[number] = crops.pixels(number)
    labels = given.data.identity[crops.faces].astype(np.int64)
    known = len(np.unique(labels))
    if not 1 < known < len(labels):
        raise BadInput(
            f"the embedder cannot be measured on what could be read, {len(labels)} "
            f"faces of {known} identities: two faces of one, and one of another are "
            "the least; add pictures"
        )
    stacked = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return {group: LabelledCrops(stacked, labels)}


def _of_several(data: DataIndex, faces: Numbers) -> Numbers:
    """Return the faces of identities that have several, if two have."""
    identity = data.identity[faces]
    several = np.bincount(identity)[identity] > 1
    return faces[several] if len(np.unique(identity[several])) > 1 else faces


def _cut(given: Given, cutter: CropCutter, faces: Numbers) -> Crops:
    crops = cut_crops(given.data, given.cache, cutter, faces)
    for each in crops.skipped:
        given.say(str(each))
    return crops


class _PictureNames(Sequence[str]):
    """The names of the crops' pictures, made when they are asked for."""

    def __init__(self, data: DataIndex, pictures: NDArray[np.int32]) -> None:
        self._data, self._pictures = data, pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, number: int) -> str:  # type: ignore[override]
        picture = int(self._pictures[number])
        source = self._data.sources[self._data.source[picture]]
        return f"{source.reader.name}: {self._data.keys[picture]}"
