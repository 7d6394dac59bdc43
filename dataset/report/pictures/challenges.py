"""Which faces show the four challenges of figure 3 of the paper, chosen by measures.

Zheng et al. 2020, section 3.3: near-duplicates under different identities, changes of
viewpoint, heavy occlusion, changes of light. What people said of faces decides where
they said it; else what the program measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from icf.catalogue.labels.attributes import Attributes
from icf.codes import Occlusion
from icf.dataset.report.statistics.faces import Faces
from icf.stores.vectors import MissingVector, VectorStore

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

#: How many examples of a challenge there are, and how many faces one has.
EXAMPLES, FACES = 3, 4
#: Faces of an identity, and identities, that are compared: of more, a sample.
PER_IDENTITY, IDENTITIES = 12, 5_000
#: Identities with fewer faces show no changes.
ENOUGH = 4

_PAIRS = 64
_BLOCK = 512


@dataclass(frozen=True)
class Pick:
    """One example.

    Attributes:
        faces: ids.
        captions: what was measured of each.
        measure: what was measured of all of them.
    """

    faces: Sequence[int]
    captions: Sequence[str]
    measure: str


@dataclass(frozen=True, eq=False)
class Compared:
    """Faces whose embeddings are compared.

    Attributes:
        faces: of one embedder, those of an identity together.
        vectors: shape (n, d), unit length.
        starts: the row at which each identity begins, and n.
    """

    faces: Faces
    vectors: FloatArray
    starts: IntArray

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Begin and end of each identity's rows."""
        yield from pairwise(self.starts.tolist())


def read_compared(faces: Faces, vectors: VectorStore) -> Compared | None:
    """Read the embeddings of a sample of faces; None where there are none."""
    if not (faces.embedder >= 0).any():
        return None
    model = int(np.bincount(faces.embedder[faces.embedder >= 0]).argmax())
    by_model = faces.take(faces.embedder == model)
    some = by_model.take(_sample(by_model))
    name = faces.embedders[model]
    try:
        found = vectors.get(name, some.face)
    except MissingVector:
        some = some.take(vectors.has(name, some.face))
        found = vectors.get(name, some.face)
    if not len(some):
        return None
    starts = np.flatnonzero(np.diff(some.identity, prepend=-1))
    return Compared(some, found, np.append(starts, len(some)))


def twins(compared: Compared) -> list[Pick]:
    """The most alike faces of two identities, of as many identities as possible."""
    units = _means(compared)
    found = []
    for one, other in _nearest(units):
        a, b = (slice(*compared.starts[at : at + 2].tolist()) for at in (one, other))
        alike = compared.vectors[a] @ compared.vectors[b].T
        image = compared.faces.image
        alike[image[a][:, None] == image[b][None, :]] = -1
        row, column = np.unravel_index(int(alike.argmax()), alike.shape)
        rows = (int(row) + a.start, int(column) + b.start)
        found.append((float(alike[row, column]), one, other, rows))
    found.sort(key=lambda each: (-each[0], each[1], each[2]))
    picks: list[Pick] = []
    used: set[int] = set()
    for cosine, one, other, rows in found:
        if len(picks) < EXAMPLES and not used & {one, other} and cosine > 0:
            used |= {one, other}
            ids = [int(compared.faces.face[row]) for row in rows]
            picks.append(Pick(ids, ("", ""), f"cosine {cosine:.2f}"))
    return picks


def views(
    faces: Faces, described: Mapping[int, Attributes], compared: Compared | None
) -> tuple[str, list[Pick]]:
    """One identity's most different views; and by what they were chosen."""
    yaws = np.array(
        [
            described[face].yaw.value if face in described else None
            for face in faces.face.tolist()
        ],
        np.float64,
    )
    known = faces.take(np.isfinite(yaws))
    picks = _widest(
        known, yaws[np.isfinite(yaws)], 2, "turned by {:.0f}° in all", "{:.0f}°"
    )
    if picks:
        return "by the angles that people gave", picks
    if compared is None:
        return "", []
    how = "the least alike by the embedder, as nobody described poses yet"
    return how, _least_alike(compared)


def occluded(
    faces: Faces, described: Mapping[int, Attributes]
) -> tuple[str, list[Pick]]:
    """Faces of which most, or a part, is hidden; and by what they were chosen."""
    hidden = [
        face
        for level in (Occlusion.MOST, Occlusion.PART)
        for face in faces.face.tolist()
        if face in described and described[face].occlusion.value is level
    ][: EXAMPLES * FACES]
    if hidden:
        captions = [str(described[face].occlusion.value) for face in hidden]
        return "as people said", [Pick(hidden, captions, "hidden: most, or a part")]
    if not len(faces):
        return "", []
    order = np.lexsort((faces.face, faces.score))[: EXAMPLES * FACES]
    ids = [int(each) for each in faces.face[order]]
    captions = [f"{each:.2f}" for each in faces.score[order]]
    how = "those that the detector was least sure of, as nobody described faces yet"
    return how, [Pick(ids, captions, "score of the detector")]


def lights(faces: Faces) -> list[Pick]:
    """Identities whose faces differ most in brightness, dark ones first."""
    known = faces.take(np.isfinite(faces.brightness))
    return _widest(
        known, known.brightness, ENOUGH, "{:.0f} of 255 between them", "{:.0f}"
    )


def _widest(
    faces: Faces,
    values: npt.NDArray[np.float64],
    least: int,
    measure: str,
    caption: str,
) -> list[Pick]:
    """The identities with the widest range of a value; some faces from end to end."""
    if not len(faces):
        return []
    order = np.lexsort((faces.face, values, faces.identity))
    faces, values = faces.take(order), values[order]
    starts = np.flatnonzero(np.diff(faces.identity, prepend=-1))
    ends = np.append(starts[1:], len(faces))
    ranges = values[ends - 1] - values[starts]
    ranges[ends - starts < least] = -1
    picks = []
    for at in np.argsort(-ranges, kind="stable")[:EXAMPLES].tolist():
        if ranges[at] <= 0:
            break
        begin, end = int(starts[at]), int(ends[at])
        rows = np.unique(np.linspace(begin, end - 1, FACES).round().astype(int))
        ids = [int(each) for each in faces.face[rows]]
        said = [caption.format(each) for each in values[rows]]
        picks.append(Pick(ids, said, measure.format(ranges[at])))
    return picks


def _least_alike(compared: Compared) -> list[Pick]:
    """Of the identities with the least alike faces, those farthest apart."""
    found = []
    for begin, end in compared.ranges():
        if end - begin < ENOUGH:
            continue
        own = compared.vectors[begin:end]
        alike = own @ own.T
        found.append((float(alike.mean()), float(alike.min()), begin, end))
    picks = []
    for _, least, begin, end in sorted(found)[:EXAMPLES]:
        rows = _far_apart(compared.vectors[begin:end])
        ids = [int(compared.faces.face[begin + row]) for row in rows]
        picks.append(Pick(ids, [""] * len(ids), f"cosine down to {least:.2f}"))
    return picks


def _far_apart(vectors: FloatArray) -> list[int]:
    """Rows far from one another: the least alike pair, then what is far from both."""
    alike = vectors @ vectors.T
    rows = [int(each) for each in np.unravel_index(int(alike.argmin()), alike.shape)]
    while len(rows) < min(FACES, len(vectors)):
        nearest = alike[:, rows].max(axis=1)
        nearest[rows] = 2
        rows.append(int(nearest.argmin()))
    return rows


def _sample(faces: Faces) -> IntArray:
    """Ids' rows of at most `PER_IDENTITY` faces of the largest identities."""
    order = np.lexsort((faces.face, faces.identity))
    owner = faces.identity[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:IDENTITIES])
    rows = []
    for start, size in zip(
        starts[largest].tolist(), sizes[largest].tolist(), strict=True
    ):
        count = min(size, PER_IDENTITY)
        rows.append(start + np.arange(count) * size // count)
    return np.asarray(order[np.concatenate(rows)], np.int64)


def _means(compared: Compared) -> FloatArray:
    sums = np.add.reduceat(compared.vectors, compared.starts[:-1], axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-9), np.float32)


def _nearest(units: FloatArray) -> list[tuple[int, int]]:
    """The pairs of rows with the highest cosines, the smaller row first."""
    best: list[tuple[float, int, int]] = []
    for begin in range(0, len(units), _BLOCK):
        alike = units[begin : begin + _BLOCK] @ units.T
        rows = np.arange(begin, begin + len(alike))
        alike[np.arange(len(units))[None, :] <= rows[:, None]] = -2
        most = min(_PAIRS, alike.size)
        top = np.argpartition(-alike, most - 1, axis=None)[:most]
        for at in top.tolist():
            row, column = divmod(at, len(units))
            if alike[row, column] > -2:
                best.append((float(-alike[row, column]), begin + row, column))
        best = sorted(best)[:_PAIRS]
    return [(one, other) for _, one, other in best]
