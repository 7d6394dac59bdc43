from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.images.marks.cbor import BadCbor, read_cbor


#: From RFC 8949, appendix A.
@pytest.mark.parametrize(
    ("hexadecimal", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("f4", False),
        ("f6", None),
        ("c11a514b67b0", 1363896240),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("a201020304", {1: 2, 3: 4}),
        ("826161a161626163", ["a", {"b": "c"}]),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ],
)
def test_the_examples_of_the_standard_are_read(hexadecimal: str, value: Any) -> None:
    assert read_cbor(bytes.fromhex(hexadecimal)) == value


def test_half_floats_are_read() -> None:
    assert math.isinf(read_cbor(bytes.fromhex("f97c00")))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1a\x00",
        b"\xff",
        b"\x82\x01",
        b"\x9bffffffff",
        b"\x81" * 100 + b"\x00",
        b"\xa1\x80\x01",
        b"\x1c",
        b"\x7f\x01\xff",
        b"\x1f",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_what_is_none_is_an_error(data: bytes) -> None:
    with pytest.raises(BadCbor):
        read_cbor(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadCbor):
        read_cbor(data)
