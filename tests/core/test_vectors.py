"""The store of embeddings."""

from pathlib import Path

import numpy as np
import pytest

from icf.errors import BadInput
from icf.vectors import MissingVector, VectorStore


def test_the_last_row_of_an_id_wins_even_after_it_was_read(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    ids = np.array([7], np.int64)
    store.append("m", ids, np.array([[1, 0]], np.float32))
    assert store.get("m", ids).tolist() == [[1, 0]]
    VectorStore(tmp_path).append("m", ids, np.array([[0, 1]], np.float32))
    assert store.get("m", ids).tolist() == [[0, 1]]


def test_a_tail_cut_by_a_crash_is_ignored_then_trimmed(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append("m", np.array([1, 2], np.int64), np.eye(2, dtype=np.float32))
    (shard,) = (tmp_path / "m").glob("*.rows")
    shard.write_bytes(shard.read_bytes()[:-3])
    again = VectorStore(tmp_path)
    assert again.ids("m").tolist() == [1]
    again.append("m", np.array([3], np.int64), np.array([[0, 1]], np.float32))
    found = VectorStore(tmp_path).get("m", np.array([3, 1], np.int64))
    assert found.tolist() == [[0, 1], [1, 0]]


def test_another_dimension_and_a_missing_id_are_refused(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append("m", np.array([1], np.int64), np.ones((1, 2), np.float32))
    with pytest.raises(BadInput, match="do not go with"):
        store.append("m", np.array([2], np.int64), np.ones((1, 3), np.float32))
    with pytest.raises(MissingVector, match="9"):
        store.get("m", np.array([1, 9], np.int64))
