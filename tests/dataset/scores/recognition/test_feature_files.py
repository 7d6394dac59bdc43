from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icf.dataset.scores.recognition.feature_files import read_feature_file
from icf.errors import BadInput

FILES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
MATRIX = np.arange(12, dtype=np.float32).reshape(4, 3) + 1


def lists(matrix: np.ndarray[Any, Any], kind: str) -> pa.Array:
    rows = matrix.tolist()
    number = pa.from_numpy_dtype(matrix.dtype)
    if kind == "fixed":
        return pa.array(rows, pa.list_(number, matrix.shape[1]))
    return pa.array(rows, pa.list_(number) if kind == "list" else pa.large_list(number))


def written(tmp_path: Path, **columns: Any) -> Path:
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


@pytest.mark.parametrize("kind", ["list", "large", "fixed"])
@pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64])
def test_lists_of_floats_are_read_as_they_are(
    tmp_path: Path, kind: str, stored: type[np.floating[Any]]
) -> None:
    matrix = MATRIX.astype(stored)
    found = read_feature_file(written(tmp_path, v=lists(matrix, kind)), FILES, 3)
    assert found.dtype == stored
    assert np.array_equal(found, matrix)


def test_rows_that_name_their_pictures_may_be_in_any_order(tmp_path: Path) -> None:
    order = [2, 0, 3, 1]
    names = [f"some/folder/{FILES[row]}" for row in order]
    path = written(
        tmp_path, file=names, score=[1.0] * 4, v=lists(MATRIX[order], "list")
    )
    assert np.array_equal(read_feature_file(path, FILES), MATRIX)


@pytest.mark.parametrize(
    ("columns", "dim", "said"),
    [
        ({"v": lists(MATRIX[:3], "list")}, None, "expected 4 rows.* found 3"),
        ({"v": lists(MATRIX, "list")}, 4, "expected 4 numbers a row, found 3"),
        ({"v": [[1.0], [1.0], [1.0, 2.0], [1.0]]}, None, "row 3: expected 1 numbers"),
        ({"v": [[1.0], [1.0], [1.0], [1.0, 2.0]]}, None, "row 4: expected 1 numbers"),
        ({"v": [[1.0], None, [1.0], [1.0]]}, None, "row 2 or after.* found null"),
        ({"v": [1.0, 2.0, 3.0, 4.0]}, None, "expected one column of lists of floats"),
        ({"v": [[1], [2], [3], [4]]}, None, "expected one column of lists of floats"),
        ({"v": lists(MATRIX, "list"), "w": lists(MATRIX, "list")}, None, "one of them"),
        (
            {"file": [*FILES[:3], "x.jpg"], "v": lists(MATRIX, "list")},
            None,
            "row 4: expected a picture of the list, found 'x.jpg'",
        ),
        (
            {"file": [*FILES[:3], "./a.jpg"], "v": lists(MATRIX, "list")},
            None,
            "row 4: './a.jpg' again, as in row 1",
        ),
        (
            {"file": FILES, "path": FILES, "v": lists(MATRIX, "list")},
            None,
            "several columns name pictures: file, path",
        ),
    ],
)
def test_what_does_not_fit_the_list_is_refused(
    tmp_path: Path, columns: dict[str, Any], dim: int | None, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        read_feature_file(written(tmp_path, **columns), FILES, dim)


def test_one_of_several_columns_may_be_called_features(tmp_path: Path) -> None:
    other = lists(MATRIX[::-1].copy(), "list")
    path = written(tmp_path, boxes=other, features=lists(MATRIX, "list"))
    assert np.array_equal(read_feature_file(path, FILES), MATRIX)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, v=lists(MATRIX, "list"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BadInput, match="a damaged Parquet file"):
        read_feature_file(path, FILES)


def test_other_files_are_read_by_their_own_rules(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", MATRIX)
    assert np.array_equal(read_feature_file(tmp_path / "f.npy", FILES, 3), MATRIX)
    with pytest.raises(BadInput, match="cannot be read"):
        read_feature_file(tmp_path / "none", FILES)
