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
    "kind",
    [
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.binary(5),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.binary()),
    ],
    ids=str,
)
def test_names_may_be_of_any_type_of_text(tmp_path: Path, kind: pa.DataType) -> None:
    order = [2, 0, 3, 1]
    names = pa.array([FILES[row] for row in order])
    names = names.cast(kind.value_type if pa.types.is_dictionary(kind) else kind)
    names = names.dictionary_encode() if pa.types.is_dictionary(kind) else names
    path = written(tmp_path, file=names, v=lists(MATRIX[order], "list"))
    assert np.array_equal(read_feature_file(path, FILES), MATRIX)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            [{"bytes": b"", "path": each} for each in FILES],
            "column image, found struct",
        ),
        ([each.encode("utf-16") for each in FILES], "column image, found binary.*UTF8"),
        ([1, 2, 3, 4], "row 1: expected a picture of the list, found '1'"),
        ([None] * 4, "row 1: expected a picture of the list, found None"),
    ],
)
def test_a_column_that_should_name_pictures_is_not_passed_over(
    tmp_path: Path, names: Any, said: str
) -> None:
    path = written(tmp_path, image=names, v=lists(MATRIX, "list"))
    with pytest.raises(BadInput, match=rf"f\.parquet.*{said}"):
        read_feature_file(path, FILES)


def test_a_column_of_text_names_pictures_rather_than_another(tmp_path: Path) -> None:
    path = written(
        tmp_path, file=FILES[::-1], image=[1, 2, 3, 4], v=lists(MATRIX, "list")
    )
    assert np.array_equal(read_feature_file(path, FILES), MATRIX[::-1])


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
def test_names_in_another_order_are_not_passed_over_whatever_they_are_called(
    tmp_path: Path, kind: pa.DataType
) -> None:
    names = pa.array(["x/b.jpg", "x/a.jpg", "x/c.jpg", None], kind)
    path = written(tmp_path, image_path=names, v=lists(MATRIX, "list"))
    said = "column image_path names pictures .* another order .* rename it to file"
    with pytest.raises(BadInput, match=said):
        read_feature_file(path, FILES)


@pytest.mark.parametrize(
    "other", [FILES, ["a", "b", "c", "d"], [b"\xff\xd8"] * 4, ["d.jpg", "", "", ""]]
)
def test_other_columns_of_text_are_passed_over(tmp_path: Path, other: Any) -> None:
    path = written(tmp_path, image_path=other, v=lists(MATRIX, "list"))
    assert np.array_equal(read_feature_file(path, FILES), MATRIX)


@pytest.mark.parametrize("name", ["f.bin", "f.npy", "f.parquet", "named.parquet"])
@pytest.mark.parametrize(
    ("bad", "said"),
    [(np.nan, "NaN or infinity"), (-np.inf, "NaN or infinity"), (0, "only zeros")],
)
def test_a_row_without_direction_is_named_with_its_file(
    tmp_path: Path, name: str, bad: float, said: str
) -> None:
    matrix = MATRIX.astype(np.float64)
    matrix[2] = bad
    path = tmp_path / name
    if name == "f.bin":
        matrix.tofile(path)
    elif name == "f.npy":
        np.save(path, matrix)
    else:
        columns: dict[str, Any] = {"v": lists(matrix, "list")}
        columns |= {"file": FILES[::-1]} if name == "named.parquet" else {}
        pq.write_table(pa.table(columns), path)
    picture = "b.jpg" if name == "named.parquet" else "c.jpg"
    with pytest.raises(BadInput) as raised:
        read_feature_file(path, FILES, 3)
    assert str(raised.value).startswith(f"{path}, row 3 ({picture}): expected finite")
    assert str(raised.value).endswith(said)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    columns = [lists(MATRIX, "list"), pa.array(FILES)]
    pq.write_table(pa.table(columns, ["v", "v"]), tmp_path / "f.parquet")
    with pytest.raises(BadInput, match="several columns are called v"):
        read_feature_file(tmp_path / "f.parquet", FILES)


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
