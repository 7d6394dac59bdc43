"""Compare two embedders on the faces of the audit characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from icf.images import Undecodable, decode
from icf.models.embedding import Embedder, Pixels, crop_face
from icf.models.face_crops import FaceBox
from icf.models.gate.audit_faces import AuditFaces
from icf.models.gate.bootstrap import Difference, difference_of_means
from icf.models.gate.floors import SIZES, judge_groups
from icf.models.gate.report import Floor
from icf.models.gate.retrieval import Retrieval, retrieve
from icf.settings import GateSettings
from icf.stores.blobs import MissingBlob
from icf.workspace import Workspace

Vectors = NDArray[np.float32]
Flags = NDArray[np.bool_]

#: Called with the number of faces that are done.
Advance = Callable[[int], object]

#: What the difference is of.
FIGURE = "mean average precision of faces of audit characters"
#: Faces whose crops are held in memory at a time.
_BATCH = 128


@dataclass(frozen=True, eq=False)
class EmbedderComparison:
    """What both embedders did.

    Attributes:
        difference: of the mean average precision.
        champion, challenger: how each found the faces.
        floors: by album and size.
        identities: how many characters were looked up.
    """

    difference: Difference
    champion: Retrieval
    challenger: Retrieval
    floors: tuple[Floor, ...]
    identities: int


def lacking(audit: AuditFaces, settings: GateSettings) -> list[str]:
    """Say what an audit set has too little of."""
    probes = audit.labels.probes
    identities = len(np.unique(audit.labels.identity[probes]))
    reasons = []
    if identities < settings.min_identities:
        reasons.append(
            f"{identities} audit characters have confirmed faces on two pictures, and "
            f"gate.min_identities is {settings.min_identities}"
        )
    if len(probes) < settings.min_faces:
        reasons.append(
            f"{len(probes)} of their faces can be looked up, and gate.min_faces is "
            f"{settings.min_faces}"
        )
    return reasons


def compare_embedders(
    audit: AuditFaces, champion: Vectors, challenger: Vectors, settings: GateSettings
) -> EmbedderComparison:
    """Compare two embedders by their vectors.

    Args:
        audit: n faces.
        champion: shape (n, d), of unit length.
        challenger: shape (n, e), of unit length.
        settings: confidence and floors.
    """
    labels = audit.labels
    ours, theirs = retrieve(challenger, labels), retrieve(champion, labels)
    better = ours.precision - theirs.precision
    probes = labels.probes
    identity = labels.identity[probes]
    found = difference_of_means(better, identity, settings.confidence)
    groups = {}
    for name, chosen in _groups(audit, probes):
        compare = partial(difference_of_means, better[chosen], identity[chosen])
        groups[name] = len(np.unique(identity[chosen])), compare
    floors = judge_groups(groups, settings)
    return EmbedderComparison(found, theirs, ours, floors, len(np.unique(identity)))


def _groups(
    audit: AuditFaces, probes: NDArray[np.int64]
) -> Iterator[tuple[str, Flags]]:
    """Albums and sizes of the probes."""
    albums = audit.album[probes]
    for name in np.unique(albums).tolist():
        yield f"album {name}", albums == name
    sides = audit.sides[probes]
    for name, (low, high) in SIZES.items():
        chosen = (sides >= low) & (sides < high)
        if chosen.any():
            yield name, chosen


def embed_audit(
    workspace: Workspace,
    audit: AuditFaces,
    embedders: Sequence[Embedder],
    advance: Advance = lambda faces: None,
) -> tuple[list[Vectors], Flags]:
    """Embed the faces with several embedders; each picture is decoded once.

    Vectors that the workspace has are read instead. All are rounded as its vector
    store rounds them, so that none has an advantage.

    Args:
        workspace: that has the pictures.
        audit: n faces.
        embedders: opened.
        advance: called with the number of faces that are done.

    Returns:
        For each embedder the vectors, shape (n, d); and which faces have one: the
        pictures of the others cannot be read.
    """
    ids = audit.ids
    results = [np.zeros((len(ids), each.dim), np.float32) for each in embedders]
    stored = [workspace.vectors.has(each.model_hash, ids) for each in embedders]
    for each, known, result in zip(embedders, stored, results, strict=True):
        if known.any():
            result[known] = workspace.vectors.get(each.model_hash, ids[known])
    usable = np.ones(len(ids), np.bool_)
    rates = [each.crop_rate for each in embedders]
    max_pixels = workspace.settings.harvest.max_pixels
    waiting: list[int] = []
    crops: list[list[Pixels]] = []
    wanted = np.flatnonzero(~np.logical_and.reduce(stored)).tolist()
    for some in _by_picture(audit.boxes, wanted):
        try:
            data = workspace.blobs.get(audit.boxes[some[0]].sha256)
            pixels = decode(data, max_pixels).pixels
        except (MissingBlob, Undecodable):
            usable[some] = False
            continue
        for place in some:
            box = audit.boxes[place].box
            crops.append([crop_face(pixels, box, rate) for rate in rates])
            waiting.append(place)
        if len(waiting) >= _BATCH:
            _embed(embedders, stored, results, waiting, crops)
            advance(len(waiting))
            waiting, crops = [], []
    _embed(embedders, stored, results, waiting, crops)
    advance(len(waiting))
    return results, usable


def some_crops(
    workspace: Workspace, audit: AuditFaces, rate: float, most: int
) -> list[Pixels]:
    """Cut some of the faces, each from another picture where possible."""
    crops: list[Pixels] = []
    everything = list(range(len(audit.boxes)))
    for some in _by_picture(audit.boxes, everything):
        if len(crops) == most:
            break
        face = audit.boxes[some[0]]
        try:
            data = workspace.blobs.get(face.sha256)
            pixels = decode(data, workspace.settings.harvest.max_pixels).pixels
        except (MissingBlob, Undecodable):
            continue
        crops.append(crop_face(pixels, face.box, rate))
    return crops


def _by_picture(boxes: Sequence[FaceBox], places: Sequence[int]) -> Iterator[list[int]]:
    """Yield the places of faces, those of one picture together."""
    ordered = sorted(places, key=lambda place: (boxes[place].sha256, place))
    for _, group in groupby(ordered, key=lambda place: boxes[place].sha256):
        yield list(group)


def _embed(
    embedders: Sequence[Embedder],
    stored: Sequence[Flags],
    results: Sequence[Vectors],
    places: Sequence[int],
    crops: Sequence[Sequence[Pixels]],
) -> None:
    """Embed crops, cut for each embedder, that it has no vector of."""
    for number, each in enumerate(embedders):
        new = [n for n, place in enumerate(places) if not stored[number][place]]
        if not new:
            continue
        vectors = each.embed([crops[n][number] for n in new])
        rounded = vectors.astype(np.float16).astype(np.float32)
        lengths = np.linalg.norm(rounded, axis=1, keepdims=True)
        rows = [places[n] for n in new]
        results[number][rows] = rounded / np.maximum(lengths, 1e-12)
