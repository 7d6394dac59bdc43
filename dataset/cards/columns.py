"""Columns of Arrow, made of their buffers.

`pyarrow.array` imports pandas where it is installed, whatever it is given: half a
second, and 50 MiB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def numbers(values: Sequence[int] | npt.NDArray[np.integer]) -> pa.Array:
    """Return whole numbers of 32 bits.

    >>> numbers([1, -1]).to_pylist()
    [1, -1]
    """
    held = np.array(values, np.int32)
    return pa.Array.from_buffers(pa.int32(), len(held), [None, pa.py_buffer(held)])


def texts(values: Sequence[str]) -> pa.Array:
    """Return texts; together they have less than 2 GiB.

    >>> texts(["a", "", "\u00e9"]).to_pylist()
    ['a', '', '\u00e9']
    """
    encoded = [each.encode() for each in values]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(each) for each in encoded], out=ends[1:])
    data = pa.py_buffer(b"".join(encoded))
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), data)
