import gzip
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from icf.errors import BadInput
from icf.icartoonface.features import read_features, write_features

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
    found = read_features(path, len(features), features.shape[1])
    assert found.shape == features.shape
    assert found.tobytes() == features.tobytes()


def test_read_features_cannot_be_changed_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "features.bin"
    write_features(path, np.ones((3, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        read_features(path, 3, 2)[0, 0] = 2


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


def made_by_a_network(kind: str) -> npt.NDArray[Any]:
    rng = np.random.default_rng(1)
    made: npt.NDArray[Any] = rng.normal(size=(300, 128))
    if kind == "unit":
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made
    if kind == "sparse":
        return np.where(rng.random(made.shape) < 0.9, 0, np.abs(made))
    if kind == "softmax":
        made = np.exp(5 * made)
        made /= made.sum(axis=1, keepdims=True)
        return made
    if kind == "quantised":
        return np.round(made * 8) / 8
    if kind == "uneven columns":
        return made * np.where(np.arange(128) % 2, 1, 1000)
    return {"odd length": made[:, :127], "tiny": made * 1e-8}[kind]


KINDS = ["unit", "sparse", "softmax", "quantised", "uneven columns", "odd length"]


@pytest.mark.parametrize("kind", [*KINDS, "tiny"])
@pytest.mark.parametrize("before", ["f2", "f4", "f8"])
@pytest.mark.parametrize("stored", ["<f4", "<f8"])
def test_raw_float32_is_told_from_float64(
    tmp_path: Path, kind: str, before: str, stored: str
) -> None:
    features = made_by_a_network(kind).astype(before).astype(stored)
    features.tofile(tmp_path / "f.bin")
    found = read_features(tmp_path / "f.bin", len(features))
    assert found.dtype == stored
    assert np.array_equal(found, features)


def test_compressed_features_are_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "f.npy.gz"
    path.write_bytes(gzip.compress(np.ones((4, 8)).tobytes()))
    with pytest.raises(BadInput, match=r"f\.npy\.gz is compressed by gzip; unpack it"):
        read_features(path, 4)


@pytest.mark.parametrize("kind", [*KINDS, "softmax"])
@pytest.mark.parametrize("rows", [300, 299])
@pytest.mark.parametrize("dim", [None, 64])
def test_raw_numbers_of_16_bits_are_refused(
    tmp_path: Path, kind: str, rows: int, dim: int | None
) -> None:
    made_by_a_network(kind)[:rows, :126].astype("<f2").tofile(tmp_path / "f.bin")
    said = r'numbers of 16 bits, such as float16.* features.astype\("<f4"\)'
    with pytest.raises(BadInput, match=said):
        read_features(tmp_path / "f.bin", rows, dim and 63)


def test_raw_numbers_of_16_bits_are_refused_by_the_said_dimension(
    tmp_path: Path,
) -> None:
    np.ones((3, 5), "<f2").tofile(tmp_path / "f.bin")
    with pytest.raises(BadInput, match="numbers of 16 bits"):
        read_features(tmp_path / "f.bin", 3, 5)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", [(40, 512), (116, 190), (31, 254)])
def test_random_numbers_of_16_bits_never_pass_as_float32(
    tmp_path: Path, seed: int, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    made = rng.normal(size=shape) * 10 ** rng.uniform(-2, 2.5)
    made.astype("<f2").tofile(tmp_path / "f.bin")
    with pytest.raises(BadInput, match="numbers of 16 bits"):
        read_features(tmp_path / "f.bin", shape[0])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", [(40, 512), (31, 127)])
def test_float32_is_read_whatever_its_scale_and_its_zeros(
    tmp_path: Path, seed: int, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    made = rng.normal(size=shape) * 10 ** rng.uniform(-12, 12)
    made[rng.random(shape) < rng.choice([0, 0.5, 0.95])] = 0
    made.astype("<f4").tofile(tmp_path / "f.bin")
    assert np.array_equal(
        read_features(tmp_path / "f.bin", shape[0]), made.astype("f4")
    )


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_float32_of_few_decimals_is_read(tmp_path: Path, decimals: int) -> None:
    made = np.round(made_by_a_network("odd length"), decimals).astype("<f4")
    made[:299].tofile(tmp_path / "f.bin")
    assert np.array_equal(read_features(tmp_path / "f.bin", 299), made[:299])


@pytest.mark.parametrize("stored", ["i1", "u1", ">f4"])
@pytest.mark.parametrize("seed", range(5))
def test_raw_numbers_of_other_types_are_not_taken_for_float32(
    tmp_path: Path, stored: str, seed: int
) -> None:
    made = np.random.default_rng(seed).normal(size=(99, 4 * 49)) * 40
    made += 128 * (stored == "u1")
    if stored == ">f4":
        made = made[:, :49]
    least, most = (0, 255) if stored == "u1" else (-128, 127)
    np.clip(made, least, most).astype(stored).tofile(tmp_path / "f.bin")
    said = "big-endian" if stored == ">f4" else "do not say which"
    with pytest.raises(BadInput, match=said):
        read_features(tmp_path / "f.bin", 99)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", ["f4", "f8"])
@pytest.mark.parametrize("stored", [">f4", ">f8"])
@pytest.mark.parametrize("said", [True, False])
def test_the_other_byte_order_is_refused(
    tmp_path: Path, kind: str, before: str, stored: str, *, said: bool
) -> None:
    features = made_by_a_network(kind).astype(before).astype(stored)
    features.tofile(tmp_path / "f.bin")
    rows, dim = features.shape
    with pytest.raises(BadInput, match=rf"big-endian.*\(\"<{stored[1:]}\"\)"):
        read_features(tmp_path / "f.bin", rows, dim if said else None)


@pytest.mark.parametrize("stored", ["<f4", "<f8"])
@pytest.mark.parametrize("exponents", [(-37, 37), (-37, -21), (-45, -25), (21, 37)])
def test_numbers_of_any_magnitude_are_read_in_their_order(
    tmp_path: Path, stored: str, exponents: tuple[int, int]
) -> None:
    rng = np.random.default_rng(7)
    made = rng.normal(size=(64, 32)) * 10.0 ** rng.uniform(*exponents, (64, 32))
    features = made.astype(stored)
    features.tofile(tmp_path / "f.bin")
    assert np.array_equal(read_features(tmp_path / "f.bin", 64, 32), features)


def test_few_numbers_that_could_be_float16_are_refused(tmp_path: Path) -> None:
    made = np.random.default_rng(4).normal(size=(3, 5)).astype("<f4")
    made.tofile(tmp_path / "f.bin")
    said = "3 rows of 5 float32, or of 10 float16, .* say it with --dim 5, or save"
    with pytest.raises(BadInput, match=said):
        read_features(tmp_path / "f.bin", 3)
    assert np.array_equal(read_features(tmp_path / "f.bin", 3, 5), made)


@pytest.mark.parametrize("stored", ["<f2", "<f4", ">f4", "<f8"])
def test_an_array_file_is_read_as_what_it_says(tmp_path: Path, stored: str) -> None:
    features = np.arange(12.0).reshape(4, 3).astype(stored)
    np.save(tmp_path / "f.npy", np.asfortranarray(features))
    assert np.array_equal(read_features(tmp_path / "f.npy", 4), features)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones((3, 2)), r"shape \(4, d\).* found float64 of shape \(3, 2\)"),
        (np.ones(8), r"found float64 of shape \(8,\)"),
        (np.ones((4, 2), np.int64), "found int64"),
    ],
)
def test_an_array_of_another_shape_is_refused(
    tmp_path: Path, array: npt.NDArray[Any], said: str
) -> None:
    np.save(tmp_path / "f.npy", array)
    with pytest.raises(BadInput, match=said):
        read_features(tmp_path / "f.npy", 4)


@pytest.mark.parametrize("stored", ["<f4", "<f8"])
def test_a_said_dimension_decides_what_raw_numbers_are(
    tmp_path: Path, stored: str
) -> None:
    features = np.random.default_rng(2).normal(size=(9, 2)).astype(stored)
    features.tofile(tmp_path / "f.bin")
    found = read_features(tmp_path / "f.bin", 9, 2)
    assert found.dtype == stored
    assert np.array_equal(found, features)


@pytest.mark.parametrize(("dim", "size"), [(3, 144), (5, 144), (2, 143)])
def test_another_size_than_the_said_dimension_has_is_refused(
    tmp_path: Path, dim: int, size: int
) -> None:
    (tmp_path / "f.bin").write_bytes(bytes(size))
    with pytest.raises(BadInput, match=f"float64, {dim} in each.* found {size} bytes"):
        read_features(tmp_path / "f.bin", 9, dim)


@pytest.mark.parametrize("seed", range(20))
def test_few_numbers_are_never_taken_for_the_other_type(
    tmp_path: Path, seed: int
) -> None:
    made = np.random.default_rng(seed).normal(size=(9, 2))
    for stored in ("<f4", "<f8"):
        made.astype(stored).tofile(tmp_path / "f.bin")
        with suppress(BadInput):
            assert read_features(tmp_path / "f.bin", 9).dtype == stored


def test_what_could_be_either_is_refused_with_both_readings(tmp_path: Path) -> None:
    np.full((3, 4), 0.7, "<f4").tofile(tmp_path / "f.bin")
    said = "3 rows of 2 float64, or of 4 float32.* --dim 2 or --dim 4"
    with pytest.raises(BadInput, match=said):
        read_features(tmp_path / "f.bin", 3)


def test_an_array_file_of_another_dimension_than_said_is_refused(
    tmp_path: Path,
) -> None:
    np.save(tmp_path / "f.npy", np.ones((4, 3)))
    with pytest.raises(BadInput, match=r"shape \(4, 5\).* found float64 of shape"):
        read_features(tmp_path / "f.npy", 4, 5)


def test_python_objects_are_refused_and_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", np.array([[None]] * 4))
    with pytest.raises(BadInput, match="Python objects"):
        read_features(tmp_path / "f.npy", 4)


@pytest.mark.parametrize(
    "header",
    [
        "'shape': (4, 6), ",
        "'shape': (4, -6)}",
        "'shape': (4, 99999999999999999999)}",
        "'shape': (4, 6)} + (",
        "'shape': " + "(" * 300 + "4}",
        "'shape': (True, 4, 6)}",
        "'shape': (4611686018427387904, 4)}",
        "'shape': (4, 6), \0}",
        "'shape': 4 6}",
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, header: str) -> None:
    text = f"{{'descr': '<f8', 'fortran_order': False, {header}".encode()
    start = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little")
    (tmp_path / "f.npy").write_bytes(start + text + bytes(192))
    with pytest.raises(BadInput, match=r"f\.npy: (a damaged|expected floats of shape)"):
        read_features(tmp_path / "f.npy", 4)


@pytest.mark.parametrize("name", ["f.npz", "f.pt"])
def test_an_archive_is_no_row_of_numbers(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(BadInput, match="a zip archive; save the features with"):
        read_features(tmp_path / name, 2)


@pytest.mark.parametrize(("stored", "dim"), [("<f4", 32), ("<f8", 128)])
def test_a_said_dimension_that_the_bytes_contradict_is_refused(
    tmp_path: Path, stored: str, dim: int
) -> None:
    made = np.random.default_rng(3).normal(size=(10, 64)).astype(stored)
    made.tofile(tmp_path / "f.bin")
    other = "64 float32" if stored == "<f4" else "64 float64"
    with pytest.raises(BadInput, match=f"can only be {other} in a row"):
        read_features(tmp_path / "f.bin", 10, dim)
