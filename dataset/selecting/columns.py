"""Rows of the catalogue as columns: no more than a page of rows is held at a time.

A row is an object of a kilobyte, and its numbers in a column are a tenth of that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue.labels.licences import under_licence
from icf.catalogue.rows import CHUNK, by_given_ids, with_ids

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Column = npt.NDArray[Any]
#: Makes an array of some values of a column.
Kind = Callable[[Sequence[Any]], Column]


def read_columns(
    connection: sa.Connection,
    query: sa.Select[Any],
    key: sa.ColumnElement[Any],
    ids: IntArray,
    kinds: Sequence[Kind],
) -> list[Column]:
    """Read the rows whose key is one of some ids.

    Args:
        connection: to the catalogue.
        query: as `icf.catalogue.rows.by_ids` takes it.
        key: the column that the ids are in.
        ids: shape (n,), each once.
        kinds: of the columns of the query.
    """
    made = with_ids(query, key)
    parts = [[kind(())] for kind in kinds]
    for start in range(0, len(ids), CHUNK):
        page = ids[start : start + CHUNK].tolist()
        if rows := list(by_given_ids(connection, made, page)):
            columns = zip(*rows, strict=True)
            for part, kind, values in zip(parts, kinds, columns, strict=True):
                part.append(kind(values))
    return [np.concatenate(part) for part in parts]


def ints(values: Sequence[int]) -> IntArray:
    """Return whole numbers."""
    return np.array(values, np.int64)


def ints_or_zero(values: Sequence[int | None]) -> IntArray:
    """Return whole numbers, 0 for what is missing."""
    return np.array([each or 0 for each in values], np.int64)


def floats(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return numbers."""
    return np.array(values, np.float64)


def digests(values: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Return SHA-256 sums as ASCII: a third of the memory of str objects."""
    return np.array(values, "S64")


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of few different texts.

    Attributes:
        number: shape (n,), the place of each in `texts`; -1: none.
        texts: each once.
    """

    number: IntArray
    texts: tuple[str, ...]

    def take(self, rows: IntArray | BoolArray) -> Coded:
        """Return some of the rows."""
        return Coded(self.number[rows], self.texts)

    def one_of(self, texts: Collection[str]) -> BoolArray:
        """Mark the rows that have one of some texts."""
        return np.isin(
            self.number, [row for row, each in enumerate(self.texts) if each in texts]
        )

    def used(self) -> tuple[str, ...]:
        """Return the texts that rows have, sorted."""
        return tuple(sorted(self.texts[each] for each in np.unique(self.number)))

    def tolist(self) -> list[str | None]:
        """Return the text of each row."""
        texts = (*self.texts, None)
        return [texts[each] for each in self.number.tolist()]


class Codes:
    """Numbers texts in the order in which they come; a kind for `read_columns`."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, values: Sequence[str | None]) -> IntArray:
        """Return the number of each text; -1 for what is missing."""
        known = self._known
        return np.array(
            [
                -1 if each is None else known.setdefault(each, len(known))
                for each in values
            ],
            np.int64,
        )

    def coded(self, numbers: IntArray) -> Coded:
        """Return the column that has these numbers."""
        return Coded(numbers, tuple(self._known))


def under(
    connection: sa.Connection, images: IntArray, only_licence: Collection[str]
) -> BoolArray:
    """Mark the pictures that were found under an allowed licence; all without one.

    Args:
        connection: to the catalogue.
        images: shape (n,), ids of pictures, which may repeat.
        only_licence: patterns of allowed licences.
    """
    if not only_licence:
        return np.ones(len(images), np.bool_)
    allowed = under_licence(connection, np.unique(images).tolist(), only_licence)
    return np.isin(images, ints(list(allowed)))
