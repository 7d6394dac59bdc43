"""The class centres that a training starts with, from round to round.

Beside its weights a model keeps the names of its identities, and as whom it was trained
on each face. So what was added, merged, renamed or split since is seen from the faces
themselves.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icf.models.data.index import DataIndex
from icf.models.trained_on import IDENTITIES
from icf.models.training.losses.centres import carried_centres
from icf.models.training.start import Start

#: Names of the stored tensors.
FACES, CLASSES = "faces.ids", "faces.classes"
#: The part with the class centres, and its weights' possible names.
_CENTRES = ("loss.weight", "loss.loss.weight")


@dataclass(frozen=True, eq=False)
class Cast:
    """Who is trained on, and by which faces.

    Attributes:
        names: of the identities; a class is a number of these.
        faces: shape (k,), int64: what stands for each face, from `face_ids`.
        classes: shape (k,), int64: the class of each.
    """

    names: tuple[str, ...]
    faces: NDArray[np.int64]
    classes: NDArray[np.int64]

    def stored(self) -> dict[str, Tensor]:
        """Return the tensors that `read_cast` reads."""
        return {
            FACES: torch.from_numpy(self.faces),
            CLASSES: torch.from_numpy(self.classes.astype(np.int32)),
        }

    def about(self) -> dict[str, Any]:
        """Return the texts that `read_cast` reads."""
        return {IDENTITIES: list(self.names)}


def read_cast(start: Start) -> Cast:
    """Return whom a start model was trained on; nobody, where it does not say it."""
    names = tuple(start.about.get(IDENTITIES, ()))
    if FACES not in start.parts or not names:
        return Cast((), np.empty(0, np.int64), np.empty(0, np.int64))
    return Cast(
        names,
        start.parts[FACES].numpy(),
        start.parts[CLASSES].numpy().astype(np.int64),
    )


def face_ids(data: DataIndex, faces: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return a number for each face that follows from its picture and its box."""
    pictures, boxes = data.picture[faces], np.nan_to_num(data.boxes[faces], nan=-1)
    found = np.empty(len(faces), np.int64)
    for place, (picture, box) in enumerate(zip(pictures, boxes, strict=True)):
        kind = data.sources[data.source[picture]].reader.kind
        text = f"{kind} {data.keys[int(picture)]} {box.round(2).tolist()}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        found[place] = int.from_bytes(digest, "little", signed=True)
    return found


def starting_centres(
    before: Cast, start: Start, cast: Cast, means: Tensor, like: Tensor
) -> Tensor:
    """Return the centres with which a training starts.

    Args:
        before: whom the start model was trained on.
        start: the start model.
        cast: who is trained on now.
        means: the mean embedding of each class's faces, classes x dim; read for new
            identities only.
        like: the centres of the new loss: their shape and type.
    """
    weight = next((start.parts[k] for k in _CENTRES if k in start.parts), None)
    names: Sequence[str] = before.names
    if weight is None or weight.shape[1:] != like.shape[1:]:
        weight, names = like.detach()[:0], ()
    merged = merges(before, cast) if names else {}
    return carried_centres(weight.to(like), names, cast.names, means.to(like), merged)


def merges(before: Cast, now: Cast) -> dict[str, dict[str, float]]:
    """Return what became of identities whose names are gone.

    Such an identity went where most of its faces went, if any are still there.

    Args:
        before: whom the start model was trained on.
        now: who is trained on.

    Returns:
        By the name of an identity of now, the identities of before that are in it, with
        their numbers of faces: itself too, where its name was there before.
    """
    order = np.argsort(before.faces)
    place = np.searchsorted(before.faces, now.faces, sorter=order)
    place = order[np.minimum(place, len(order) - 1)] if len(order) else place * 0
    known = (
        before.faces[place] == now.faces if len(order) else np.zeros(len(place), bool)
    )
    moves: dict[int, Counter[int]] = {}
    for old, new in zip(before.classes[place[known]], now.classes[known], strict=True):
        moves.setdefault(int(old), Counter())[int(new)] += 1
    there, result = set(now.names), dict[str, dict[str, float]]()
    sizes = np.bincount(before.classes, minlength=len(before.names))
    for old, counts in moves.items():
        name = before.names[old]
        if name in there:
            continue
        [(new, count)] = counts.most_common(1)
        result.setdefault(now.names[new], {})[name] = float(count)
    for name, parts in result.items():
        if name in before.names:
            parts[name] = float(sizes[before.names.index(name)])
    return result
