from __future__ import annotations

from collections.abc import Callable

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from icf.errors import WrongUse
from icf.search import neighbours
from icf.search.neighbours import RECALL, Neighbours

Matrix = NDArray[np.float32]


def drawn(count: int, dim: int = 16, seed: int = 0, clusters: int = 60) -> Matrix:
    """Unit vectors around some centres, as faces lie around characters."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(clusters, dim))
    rows = centres[draw.integers(clusters, size=count)]
    rows = rows + draw.normal(size=(count, dim)) * 0.4
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def by_number(
    vectors: Matrix, first: int = 100
) -> tuple[NDArray[np.int64], Callable[[NDArray[np.int64]], Matrix]]:
    """Ids that are not places, and what reads their vectors."""
    ids = np.arange(len(vectors), dtype=np.int64) * 3 + first
    return ids, lambda some: vectors[(some - first) // 3]


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 9))
def test_the_nearest_are_those_of_comparing_everything(
    count: int, k: int, seed: int
) -> None:
    vectors = drawn(count, seed=seed)
    ids, read = by_number(vectors)
    asked = drawn(5, seed=seed + 50)
    found = Neighbours(ids, read).nearest(asked, k)
    cosines = np.sort(asked @ vectors.T, axis=1)[:, ::-1][:, :k]
    assert np.allclose(found.cosines, cosines, atol=1e-5)
    own = np.einsum("nd,nkd->nk", asked, read(found.ids.ravel()).reshape(5, -1, 16))
    assert np.allclose(own, cosines, atol=1e-5)


@given(st.integers(1, 60), st.floats(-1, 1, width=32), st.integers(0, 9))
def test_all_within_a_cosine_are_found(count: int, cosine: float, seed: int) -> None:
    vectors = drawn(count, seed=seed)
    ids, read = by_number(vectors)
    asked = drawn(5, seed=seed + 50)
    found = Neighbours(ids, read).within(asked, cosine)
    cosines = asked @ vectors.T
    surely = {(r, ids[c]) for r, c in np.argwhere(cosines > cosine + 1e-5)}
    perhaps = {(r, ids[c]) for r, c in np.argwhere(cosines > cosine - 1e-5)}
    pairs = set(zip(found.rows.tolist(), found.ids.tolist(), strict=True))
    assert surely <= pairs <= perhaps
    assert (np.diff(found.rows) >= 0).all()


def test_a_copy_is_within_a_cosine_of_one() -> None:
    ids, read = by_number(np.eye(4, dtype=np.float32))
    found = Neighbours(ids, read).within(read(ids[2:3]), 1.0)
    assert (found.ids.tolist(), found.cosines.tolist()) == ([ids[2]], [1.0])


def test_every_two_that_are_near_are_named_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 70)
    vectors = drawn(300)
    ids, read = by_number(vectors)
    blocks = list(Neighbours(ids, read).pairs(0.8))
    found = [pair for one, other, _ in blocks for pair in zip(one, other, strict=True)]
    cosines = np.triu(vectors @ vectors.T, 1)
    expected = [(ids[a], ids[b]) for a, b in np.argwhere(cosines >= 0.8)]
    assert len(expected) > 100
    assert sorted(found) == sorted(expected)
    assert all((block[2] >= 0.8).all() for block in blocks)


@pytest.mark.parametrize("clusters", [60, 8000])
def test_the_inverted_file_finds_nearly_all_that_comparing_everything_finds(
    clusters: int,
) -> None:
    drawn_together = drawn(8400, clusters=clusters)
    vectors, asked = drawn_together[:8000], drawn_together[8000:]
    ids, read = by_number(vectors)
    flat, inverted = Neighbours(ids, read), Neighbours(ids, read, flat_up_to=7999)
    assert (flat.lists, flat.probed) == (0, 0)
    assert 0 < inverted.probed < inverted.lists
    truth, found = flat.nearest(asked, 10), inverted.nearest(asked, 10)
    hits = (truth.ids[:, :, None] == found.ids[:, None, :]).any(axis=2)
    assert hits.mean() >= RECALL - 0.01
    near = flat.within(vectors[:500], 0.9)
    found_near = inverted.within(vectors[:500], 0.9)
    assert len(found_near.ids) >= (RECALL - 0.04) * len(near.ids)


def test_an_inverted_file_of_a_few_vectors_works_too() -> None:
    ids, read = by_number(drawn(5))
    found = Neighbours(ids, read, flat_up_to=0).nearest(drawn(5), 9)
    assert (np.sort(found.ids, axis=1) == ids).all()


def test_an_index_of_nothing_is_refused() -> None:
    with pytest.raises(WrongUse, match="no vectors"):
        Neighbours(np.empty(0, np.int64), lambda ids: np.empty((0, 4), np.float32))


@pytest.mark.parametrize("most", [2, 5, 2048])
def test_what_a_gpu_cannot_reach_is_looked_up_on_the_cpu(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of a GPU, walked on the CPU: it gives no ranges, and ``most`` nearest."""
    vectors = drawn(200, clusters=20)
    ids, read = by_number(vectors)
    plain = Neighbours(ids, read)
    monkeypatch.setattr(neighbours, "_GPU_NEAREST", most)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "index_cpu_to_all_gpus", faiss.clone_index)
    index = Neighbours(ids, read)
    assert index.on_gpu
    assert (index.nearest(vectors, 7).ids == plain.nearest(vectors, 7).ids).all()
    for cosine in (0.9, 0.5, -1):
        found, expected = index.within(vectors, cosine), plain.within(vectors, cosine)
        assert found.rows.tolist() == expected.rows.tolist()
        one, other = (
            np.lexsort((found.ids, found.rows)),
            np.lexsort((expected.ids, expected.rows)),
        )
        assert found.ids[one].tolist() == expected.ids[other].tolist()
        assert np.allclose(found.cosines[one], expected.cosines[other], atol=1e-6)


@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="faiss sees no GPU here")
@pytest.mark.parametrize("flat_up_to", [0, 10_000])
def test_a_gpu_finds_what_the_cpu_finds(
    flat_up_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = drawn(4000)
    ids, read = by_number(vectors)
    on_gpu = Neighbours(ids, read, flat_up_to=flat_up_to)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 0)
    on_cpu = Neighbours(ids, read, flat_up_to=flat_up_to)
    assert (on_gpu.on_gpu, on_cpu.on_gpu) == (True, False)
    one, other = (each.nearest(vectors[:100], 5) for each in (on_gpu, on_cpu))
    assert np.allclose(one.cosines, other.cosines, atol=1e-2)
    assert len(on_gpu.within(vectors[:100], 0.8).ids) > 0
