"""Whether a list is written byte for byte as the release's lists are.

Readers are lenient: they pass over blank lines, other line ends, and digits that say
the same. The published scripts are not.
"""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from icf.icartoonface.detection import (
    PUBLISHED_TEST,
    read_dettest_csv,
    read_dettrain_csv,
    read_submission_csv,
    write_dettest_csv,
    write_dettrain_csv,
    write_submission_csv,
)
from icf.icartoonface.lines import LF
from icf.icartoonface.recognition import (
    read_rectest_info,
    read_rectrain_det,
    write_rectest_info,
    write_rectest_labels,
    write_rectrain_det,
)
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    RECTEST_INFO,
    RECTEST_LABELS,
    RECTRAIN_LIST,
)

#: Reads the first file and writes what it says into the second.
_Copy = Callable[[Path, Path], None]


def _train(old: Path, new: Path) -> None:
    write_rectrain_det(new, replace(read_rectrain_det(old), style=LF))


def _info(old: Path, new: Path) -> None:
    write_rectest_info(new, replace(read_rectest_info(old), style=LF))


def _labels(old: Path, new: Path) -> None:
    write_rectest_labels(new, replace(read_rectest_info(old), style=LF))


def _dettrain(old: Path, new: Path) -> None:
    write_dettrain_csv(new, replace(read_dettrain_csv(old), style=LF))


def _dettest(old: Path, new: Path) -> None:
    write_dettest_csv(new, replace(read_dettest_csv(old), style=PUBLISHED_TEST))


def _found(old: Path, new: Path) -> None:
    write_submission_csv(new, replace(read_submission_csv(old), style=LF))


_COPIES: Mapping[Path, _Copy] = {
    RECTRAIN_LIST: _train,
    RECTEST_INFO: _info,
    RECTEST_LABELS: _labels,
    DETTRAIN_BOXES: _dettrain,
    DETTRAIN_BOXES_BEFORE: _dettrain,
    DETTEST_BOXES: _dettest,
    DETTEST_FOUND: _found,
}


def has_its_form(folder: Path, name: Path) -> bool:
    """Whether a list has the line ends, digits and order that it is written with.

    Args:
        folder: of the format.
        name: of the list; any other file has no form.

    Raises:
        BadInput: it is no such list.
    """
    copy = _COPIES.get(name)
    if copy is None:
        return True
    with TemporaryDirectory() as beside:
        again = Path(beside) / name.name
        copy(folder / name, again)
        return filecmp.cmp(folder / name, again, shallow=False)
