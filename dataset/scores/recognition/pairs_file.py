"""Files of pairs to verify: two names a line, or those of Labeled Faces in the Wild.

::

    one.jpg other.jpg           two pictures of the list; their labels tell the kind
    one.jpg other.jpg 1         the same, and the kind again: 1 genuine, 0 impostor

the ``pairs.csv`` of a release whose protocol has ``[pairs]``, known by its first line::

    fold,same,one,other
    1,1,one.jpg,other.jpg

or, of LFW (Huang et al. 2007) and its kin, whose first line has the number of folds, if
there are several, and that of pairs of each kind in a fold::

    NAME 1 4                    NAME_0001 and NAME_0004: a genuine pair
    NAME 1 OTHER 2              NAME_0001 and OTHER_0002: an impostor pair

where ``identity_00012`` and ``distractor_00003``, as a release in the format ``lfw``
has them, count the pictures of the list too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from icf.dataset.scores.recognition.pair_blocks import owners_of
from icf.errors import BadInput
from icf.icartoonface.lines import Row, read_rows
from icf.icartoonface.recognition import DISTRACTOR, IntArray, RecognitionTest
from icf.names import normal_name

_HEADER = "fold,same,one,other"
_NUMBER = re.compile("[0-9]{1,9}")
#: In place of a picture's row: several have the name.
_SEVERAL = -1
_OURS = re.compile("identity_([0-9]{1,9})|distractor_([0-9]{1,9})")


def read_pairs(path: Path, info: RecognitionTest) -> IntArray:
    """Read pairs of pictures of a list.

    Args:
        path: The file of pairs.
        info: The list; its labels tell which pairs are genuine.

    Returns:
        Shape (m, 2): rows of the list.

    Raises:
        BadInput: A line is no pair, names a picture that is not in the list, names one
            picture twice, repeats a pair, pairs two distractors, or says another kind
            than the labels do; or there are more or fewer pairs than LFW's first line
            says.
    """
    rows = [row for row in read_rows(path)[0] if row.text.strip()]
    fields = [row.text.split() for row in rows]
    is_lfw = (
        bool(rows) and len(fields[0]) < 3 and all(map(_NUMBER.fullmatch, fields[0]))
    )
    is_table = bool(rows) and rows[0].text.strip() == _HEADER
    if is_table:
        fields = [row.text.strip().split(",") for row in rows]
    names = _Names(info)
    parse: Callable[[Row, list[str]], tuple[int, int, bool | None]]
    parse = names.lfw if is_lfw else names.table if is_table else names.plain
    owner, _ = owners_of(info.labels)
    lines: dict[tuple[int, int], int] = {}
    skipped = int(is_lfw or is_table)
    for row, words in zip(rows[skipped:], fields[skipped:], strict=True):
        one, other, same = parse(row, words)
        if one == other:
            row.fail("two different pictures")
        if info.labels[one] == info.labels[other] == DISTRACTOR:
            row.fail("no pair of two distractors, who may be one character")
        if same is not None and same != (owner[one] == owner[other]):
            said, are = ("genuine", "impostor") if same else ("impostor", "genuine")
            row.fail(f"{are}, as the labels of the list say", said)
        pair = min(one, other), max(one, other)
        if pair in lines:
            row.fail("each pair once", f"the pair of line {lines[pair]} again")
        lines[pair] = row.number
    if not lines:
        raise BadInput(f"{path}: expected pairs, found none")
    if is_lfw and len(lines) != (stated := 2 * math.prod(map(int, fields[0]))):
        rows[0].fail(
            f"the number of pairs of each kind, in each fold: {len(lines):,} in all",
            f"{rows[0].text.strip()!r}, which is {stated:,}",
        )
    return np.array(list(lines), np.int64).reshape(-1, 2)


class _Names:
    """What the pictures of a list are called in files of pairs."""

    def __init__(self, info: RecognitionTest) -> None:
        self._by_name: dict[str, int] = {}
        self._by_stem: dict[str, int] = {}
        for place, file in enumerate(info.files):
            name = normal_name(file)
            self._by_name[name] = place
            stem = PurePosixPath(name).stem
            self._by_stem[stem] = _SEVERAL if stem in self._by_stem else place
        self._labels = info.labels

    def plain(self, row: Row, words: list[str]) -> tuple[int, int, bool | None]:
        """Two names, and perhaps the kind."""
        if len(words) not in (2, 3) or words[2:] not in ([], ["0"], ["1"]):
            row.fail("2 pictures, and perhaps 1 (genuine) or 0 (impostor)")
        one, other = (self._picture(row, word) for word in words[:2])
        return one, other, words[2] == "1" if len(words) == 3 else None

    def table(self, row: Row, words: list[str]) -> tuple[int, int, bool | None]:
        """A fold, the kind, and two names."""
        if len(words) != 4:
            row.fail(_HEADER)
        _, same, one, other = words
        return self.plain(row, [one, other, same])

    def lfw(self, row: Row, words: list[str]) -> tuple[int, int, bool | None]:
        """A name and two numbers, or two names with one each."""
        if len(words) == 3:
            words = [*words[:2], words[0], words[2]]
            same = True
        else:
            same = False
        if len(words) != 4 or not all(map(_NUMBER.fullmatch, words[1::2])):
            row.fail("NAME number number, or NAME number NAME number")
        one, other = (
            self._numbered(row, name, int(number))
            for name, number in (words[:2], words[2:])
        )
        return one, other, same

    def _picture(self, row: Row, name: str) -> int:
        found = self._by_name.get(normal_name(name))
        if found is None:
            row.fail("a picture of the list", repr(name))
        return found

    def _numbered(self, row: Row, name: str, number: int) -> int:
        found = self._by_stem.get(normal_name(f"{name}_{number:04d}"))
        ours = _OURS.fullmatch(name)
        if found is None and ours is not None:
            found = self._counted(ours, number)
        if found is None:
            row.fail("a picture of the list", f"{name}_{number:04d}")
        if found == _SEVERAL:
            row.fail("a picture of the list", f"several called {name}_{number:04d}")
        return found

    def _counted(self, ours: re.Match[str], number: int) -> int | None:
        """The picture that a release in the format ``lfw`` has under a name."""
        label = DISTRACTOR if ours[1] is None else int(ours[1])
        at = number - 1
        if label == DISTRACTOR:
            at = int(ours[2]) if number == 1 else -1
        places: Sequence[int] = np.flatnonzero(self._labels == label).tolist()
        return places[at] if 0 <= at < len(places) else None
