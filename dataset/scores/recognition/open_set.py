"""Open-set identification: whose picture is it, if it is of anybody known?

Known identities are enrolled in a gallery, one picture or template each, drawn by a
seed. Their other pictures are mated probes; pictures of everybody else are non-mated. A
probe is identified as its nearest of the gallery if that is above a threshold. The
false positive identification rate (FPIR) is the share of non-mated probes that are
identified as anybody; the true positive identification rate (TPIR) is the share of
mated probes that are identified as their mate. (ISO/IEC 19795-1; Li and Jain, Handbook
of Face Recognition, 2nd edition, 2011, chapter 14.1; as bob.measure computes it.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.scores.recognition.bootstrap import (
    Bounds,
    draw_weights,
    drawn_bounds,
    rising,
)
from icf.dataset.scores.recognition.group_shares import AtRate, group_shares
from icf.dataset.scores.recognition.groups import Grouping
from icf.dataset.scores.recognition.pair_blocks import owners_of
from icf.dataset.scores.recognition.unit_vectors import (
    TIE,
    Features,
    FloatArray,
    check_features,
    unit,
)
from icf.dataset.scores.recognition.verification import allowed, needed_for
from icf.errors import BadInput
from icf.icartoonface.recognition import DISTRACTOR, IntArray, RecognitionTest

BoolArray = npt.NDArray[np.bool_]

#: The rates that are reported.
FPIRS = (0.3, 0.1, 0.03, 1e-2, 1e-3)
_PROBES_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Who is known and who is not.

    Attributes:
        gallery: Rows that are enrolled, one for each known identity.
        mated: Rows of the known identities' other pictures.
        mate: The place in the gallery of each mated probe's identity.
        non_mated: Rows of everybody else.
    """

    gallery: IntArray
    mated: IntArray
    mate: IntArray
    non_mated: IntArray


@dataclass(frozen=True, eq=False)
class Identified:
    """What became of each probe.

    Attributes:
        mated: Shape (m,): the cosine of each mated probe to its mate.
        on_top: Whether its mate is nearer than everybody else in the gallery.
        non_mated: Shape (k,): the highest cosine of each non-mated probe.
    """

    mated: FloatArray
    on_top: BoolArray
    non_mated: FloatArray


@dataclass(frozen=True)
class OpenSetScore:
    """How well known characters are told from each other and from others.

    Attributes:
        gallery: Identities enrolled.
        mated: Mated probes.
        non_mated: Non-mated probes.
        rank1: Share of mated probes whose mate is on top, whatever the threshold.
        rates: The TPIR of mated probes at each of `FPIRS`.
    """

    gallery: int
    mated: int
    non_mated: int
    rank1: float
    rates: tuple[AtRate, ...]


def divide(info: RecognitionTest, known: BoolArray | None, seed: int) -> OpenSet:
    """Draw a gallery.

    Args:
        info: The test.
        known: Shape (n,): pictures whose identities are known; None: all but the
            distractors.
        seed: Of the picture that is enrolled of each.

    Raises:
        BadInput: There is no mated or no non-mated probe.
    """
    labelled = info.labels != DISTRACTOR
    rows = np.flatnonzero(labelled if known is None else labelled & known)
    mixed = np.random.default_rng(seed).permutation(rows)
    labels, firsts = np.unique(info.labels[mixed], return_index=True)
    gallery = mixed[firsts]
    mated = np.setdiff1d(rows, gallery)
    non_mated = np.setdiff1d(np.arange(len(info.labels)), rows)
    if not len(mated) or not len(non_mated):
        what = "mated probe: no known identity has two pictures"
        if len(mated):
            what = "non-mated probe: expected distractors, or identities not in train"
        raise BadInput(f"no {what}")
    mate = np.searchsorted(labels, info.labels[mated])
    return OpenSet(gallery, mated, mate, non_mated)


def score_open_set(
    info: RecognitionTest,
    features: Features,
    parts: OpenSet,
    groups: Mapping[str, Grouping] | None = None,
    seed: int = 0,
) -> OpenSetScore:
    """Score a gallery and its probes.

    Args:
        info: The test.
        features: Shape (n, d), a row per picture.
        parts: Who is known and who is not.
        groups: Of the pictures; mated probes are grouped.
        seed: Of the drawings of identities.

    Raises:
        BadInput: As ``check_features``.
    """
    check_features(info.files, features)
    found = identify_all(features, parts)
    owner, _ = owners_of(info.labels)
    count = len(parts.non_mated)
    supported = [fpir for fpir in FPIRS if needed_for(fpir) <= count]
    falling = np.sort(found.non_mated)[::-1]
    thresholds = [float(falling[allowed(fpir, count)]) for fpir in supported]
    tpirs = np.array([_hits(found, each).mean() for each in thresholds])
    owners = owner[parts.mated], owner[parts.non_mated]
    bounds = drawn_bounds(
        tpirs,
        _drawn(found, *owners, supported, seed),
        len(np.unique(owners[0])),
    )
    of_mated = {
        kind: Grouping(each.names, each.codes[parts.mated])
        for kind, each in (groups or {}).items()
    }
    made = [
        _rate(found, *each, of_mated, owners[0], seed)
        for each in zip(supported, thresholds, rising(bounds[::-1])[::-1], strict=True)
    ]
    refused = [AtRate(each, needed_for(each)) for each in FPIRS[len(supported) :]]
    return OpenSetScore(
        len(parts.gallery),
        len(parts.mated),
        len(parts.non_mated),
        float(found.on_top.mean()),
        (*made, *refused),
    )


def identify_all(features: Features, parts: OpenSet) -> Identified:
    """Compare every probe with the gallery, some hundred at a time.

    A mate that is as near as somebody else is not on top.
    """
    gallery = unit(features[parts.gallery]).T
    mated, best_other = np.empty((2, len(parts.mated)))
    for part in _slices(len(parts.mated)):
        cosines = unit(features[parts.mated[part]]) @ gallery
        own = np.arange(len(cosines)), parts.mate[part]
        mated[part] = cosines[own]
        cosines[own] = -np.inf
        best_other[part] = cosines.max(axis=1)
    highest = np.empty(len(parts.non_mated))
    for part in _slices(len(parts.non_mated)):
        highest[part] = (unit(features[parts.non_mated[part]]) @ gallery).max(axis=1)
    return Identified(mated, mated > best_other + TIE, highest)


def _slices(count: int) -> list[slice]:
    starts = range(0, count, _PROBES_AT_ONCE)
    return [slice(start, start + _PROBES_AT_ONCE) for start in starts]


def _rate(
    found: Identified,
    fpir: float,
    threshold: float,
    bounds: Bounds,
    groups: Mapping[str, Grouping],
    owners: IntArray,
    seed: int,
) -> AtRate:
    hits = _hits(found, threshold)
    return AtRate(
        fpir,
        needed_for(fpir),
        float(hits.mean()),
        bounds,
        threshold,
        int(hits.sum()),
        int(np.count_nonzero(found.non_mated > threshold + TIE)),
        {kind: group_shares(hits, owners, each, seed) for kind, each in groups.items()},
    )


def _hits(found: Identified, threshold: float) -> BoolArray:
    """Mated probes that are identified rightly."""
    return found.on_top & (found.mated > threshold + TIE)


def _drawn(
    found: Identified,
    mated: IntArray,
    non_mated: IntArray,
    fpirs: Sequence[float],
    seed: int,
) -> FloatArray:
    """Draw the owners of the probes again; the gallery stays as it is.

    Returns:
        Shape (drawings, k): TPIR at each FPIR, with the drawing's own threshold;
        drawings without a mated or a non-mated probe are left out.
    """
    owners, codes = np.unique(np.concatenate([mated, non_mated]), return_inverse=True)
    falling = np.argsort(-found.non_mated, kind="stable")
    of_mated, of_others = codes[: len(mated)], codes[len(mated) :][falling]
    right = np.flatnonzero(found.on_top)
    right = right[np.argsort(-found.mated[right], kind="stable")]
    shares = []
    for row in draw_weights(len(owners), seed):
        total, false = row[of_mated].sum(), row[of_others].cumsum()
        if total and false[-1]:
            # The first non-mated probe that may not be identified any more.
            rates = np.array(fpirs) * false[-1] * (1 + TIE)
            firsts = np.searchsorted(false, rates, side="right")
            limits = found.non_mated[falling[np.minimum(firsts, len(false) - 1)]] + TIE
            hits = np.append(0, row[of_mated[right]].cumsum())
            shares.append(hits[np.searchsorted(-found.mated[right], -limits)] / total)
    return np.array(shares).reshape(len(shares), len(fpirs))
