from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from icf.dataset.formats.icartoonface.features import read_features, write_features
from icf.errors import BadInput

Floats = npt.NDArray[np.float64]

SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 8))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays.arrays(np.float64, SHAPES, elements=FINITE))
def test_features_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, features: Floats
) -> None:
    path = tmp_path_factory.mktemp("features") / "features.bin"
    write_features(path, features)
    assert path.read_bytes() == features.tobytes()
    found = read_features(path, len(features))
    assert found.shape == features.shape
    assert found.tobytes() == features.tobytes()


def test_read_features_cannot_be_changed_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "features.bin"
    write_features(path, np.ones((3, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        read_features(path, 3)[0, 0] = 2


@pytest.mark.parametrize(
    ("size", "rows"), [(0, 3), (8 * 7, 3), (4 * 6, 2), (8, 0), (8, -1), (7, 1)]
)
def test_a_size_that_does_not_fit_is_refused(
    tmp_path: Path, size: int, rows: int
) -> None:
    path = tmp_path / "features.bin"
    path.write_bytes(bytes(size if size != 24 else 20))
    with pytest.raises(BadInput, match=r"features.bin: expected .* rows of float64"):
        read_features(path, rows)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_features(tmp_path / "none.bin", 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_not_written(
    tmp_path: Path, bad: float
) -> None:
    features = np.ones((5000, 2))
    features[4500, 1] = bad
    with pytest.raises(BadInput, match="row 4501"):
        write_features(tmp_path / "features.bin", features)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(3,), (0, 4), (4, 0), (2, 2, 2)])
def test_an_array_without_rows_and_columns_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    with pytest.raises(BadInput, match="shape"):
        write_features(tmp_path / "features.bin", np.ones(shape))
