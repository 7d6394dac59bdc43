"""Each face looked up among the others, against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from icf.models.gate.retrieval import Labels, retrieve


def unit(rows: list[list[float]]) -> NDArray[np.float32]:
    vectors = np.array(rows, np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def labels(
    identity: list[int],
    group: list[int] | None = None,
    not_of: list[tuple[int, int]] | None = None,
) -> Labels:
    return Labels(
        np.array(identity, np.int64),
        np.array(group or list(range(len(identity))), np.int64),
        np.array(not_of or [], np.int64).reshape(-1, 2),
    )


#: Cosines that are nearer may count as equal: a step of the histogram, and rounding.
NEAR = 2 / (1 << 16) + 1e-6


def plain(
    vectors: NDArray[np.float32], known: Labels
) -> tuple[list[tuple[float, float, float]], tuple[float, float]]:
    """The same by loops: of each probe rank one, reciprocal rank, precision; AUC.

    The AUC is between two numbers: pairs whose cosines are near are won by none, or by
    either.
    """
    refused = {(int(f), int(i)) for f, i in known.not_of}
    found, same, other = [], [], []
    for probe, identity in enumerate(known.identity):
        ranked = []
        for each, theirs in enumerate(known.identity):
            hit = identity == theirs
            copy = hit and known.group[probe] == known.group[each]
            if theirs < 0 and (each, int(identity)) not in refused:
                continue
            if not copy:
                ranked.append((-float(vectors[probe] @ vectors[each]), bool(hit)))
        if identity < 0 or not any(hit for _, hit in ranked):
            continue
        same += [-cosine for cosine, hit in ranked if hit]
        other += [-cosine for cosine, hit in ranked if not hit]
        hits = [hit for _, hit in sorted(ranked)]
        places = [rank for rank, hit in enumerate(hits, 1) if hit]
        precision = [n / rank for n, rank in enumerate(places, 1)]
        found.append((float(hits[0]), 1 / places[0], float(np.mean(precision))))
    if not same or not other:
        return found, (float("nan"), float("nan"))
    wins = np.subtract.outer(same, other)
    near = np.abs(wins) < NEAR
    least = float((wins >= NEAR).mean())
    return found, (least, least + float(near.mean()))


@example(seed=584, faces=7, identities=2)  # two of few pairs are nearly as similar
@given(
    seed=st.integers(0, 10_000),
    faces=st.integers(2, 30),
    identities=st.integers(1, 6),
)
def test_it_finds_what_a_plain_loop_finds(
    seed: int, faces: int, identities: int
) -> None:
    random = np.random.default_rng(seed)
    identity = random.integers(-1, identities, faces)
    known = Labels(
        identity,
        random.integers(0, faces, faces),
        np.stack(
            [random.integers(0, faces, 9), random.integers(0, identities, 9)], axis=1
        ),
    )
    # A face that is known to be of an identity is not refused for the same one.
    clash = identity[known.not_of[:, 0]] == known.not_of[:, 1]
    known = Labels(known.identity, known.group, known.not_of[~clash])
    vectors = unit(random.normal(size=(faces, 8)).tolist())
    # Of faces that are equally near, rounding says which one is nearer.
    cosines = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    assume(np.diff(np.sort(cosines, axis=1), axis=1).min() > 1e-6)
    found = retrieve(vectors, known)
    expected, (least, most) = plain(vectors, known)
    assert len(known.probes) == len(expected)
    columns = np.array(expected).reshape(-1, 3).T
    np.testing.assert_allclose(found.rank1, columns[0])
    np.testing.assert_allclose(found.reciprocal, columns[1])
    np.testing.assert_allclose(found.precision, columns[2])
    if np.isnan(least):
        assert np.isnan(found.auc)
    else:
        assert least - 1e-9 <= found.auc <= most + 1e-9


def test_copies_of_a_face_are_not_asked_for() -> None:
    vectors = unit([[1, 0], [1, 0.01], [0, 1], [0.9, 0.5]])
    known = labels([0, 0, 0, 1], group=[5, 5, 6, 7])
    found = retrieve(vectors, known)
    # The first two have only the third to find, and the other character is nearer.
    assert found.rank1.tolist() == [0, 0, 0]
    assert known.probes.tolist() == [0, 1, 2]


def test_an_identity_on_one_picture_alone_is_no_probe_but_can_be_found_wrongly() -> (
    None
):
    vectors = unit([[1, 0], [0.6, 0.8], [0.99, 0.1]])
    known = labels([0, 0, 1])
    assert known.probes.tolist() == [0, 1]
    assert retrieve(vectors, known).rank1.tolist() == [0, 0]


def test_a_refused_face_counts_for_the_identity_that_it_is_not() -> None:
    vectors = unit([[1, 0], [0.8, 0.6], [0, 1], [0.1, 1], [0.99, 0.01]])
    refused = labels([0, 0, 1, 1, -1], not_of=[(4, 0)])
    unknown = labels([0, 0, 1, 1, -1])
    assert retrieve(vectors, refused).rank1.tolist() == [0, 0, 1, 1]
    assert retrieve(vectors, unknown).rank1.tolist() == [1, 1, 1, 1]


def test_one_vector_for_everything_finds_nothing() -> None:
    vectors = unit([[1, 0]] * 6)
    found = retrieve(vectors, labels([0, 0, 1, 1, 2, 2]))
    assert found.rank1.sum() == 0
    assert found.auc == pytest.approx(0.5, abs=1e-6)
    assert found.reciprocal == pytest.approx(np.full(6, 1 / 5))


def test_perfect_embeddings_have_perfect_figures() -> None:
    vectors = unit([[1, 0], [1, 0], [0, 1], [0, 1]])
    found = retrieve(vectors, labels([0, 0, 1, 1]))
    assert found.figures() == {"rank1": 1, "mrr": 1, "map": 1, "auc": 1}
