"""Lists that say the same in other bytes, and edited rows of what a detector found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    RECTEST_INFO,
    RECTEST_LABELS,
    RECTRAIN_LIST,
)
from tests.dataset.formats.checks.copied import Copied
from tests.dataset.formats.conftest import Exported

LISTS = (
    *(RECTRAIN_LIST, RECTEST_INFO, RECTEST_LABELS),
    *(DETTRAIN_BOXES, DETTRAIN_BOXES_BEFORE, DETTEST_BOXES, DETTEST_FOUND),
)
Change = Callable[[bytes], bytes]


def said(copied: Copied, name: Path, change: Change) -> list[str]:
    """What is found after a file is changed, without the file's name."""
    path = copied.folder / name
    old = path.read_bytes()
    assert change(old) != old
    path.write_bytes(change(old))
    found = copied.said()
    assert all(line.startswith(f"{name.as_posix()}: ") for line in found)
    return [line.removeprefix(f"{name.as_posix()}: ") for line in found]


@pytest.mark.parametrize("name", LISTS, ids=lambda name: name.name)
def test_a_list_that_says_the_same_in_other_bytes_is_named(
    whole: Exported, name: Path, tmp_path: Path
) -> None:
    end = b"\r\n" if name == DETTEST_BOXES else b"\n"
    other = b"\n" if name == DETTEST_BOXES else b"\r\n"
    changes: list[Change] = [
        lambda data: data + end,
        lambda data: data.removesuffix(end),
        lambda data: data.replace(end, other),
    ]
    for number, change in enumerate(changes):
        copied = Copied.of(whole, "icartoonface", tmp_path / str(number))
        [line] = said(copied, name, change)
        assert "in other bytes" in line or "expected " in line


def first(pattern: bytes, new: bytes) -> Change:
    return lambda data: re.sub(pattern, new, data, count=1, flags=re.MULTILINE)


def last_line_first(data: bytes) -> bytes:
    *rest, last = data.splitlines(keepends=True)
    return b"".join([last, *rest])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            first(rb",30\.25,", b",31.25,"),
            r"has no row of the box 30\.25 22 130 138 of",
        ),
        (first(rb",face,.*", b",face,1.5"), "line 1: the score 1.5 is none from 0 to"),
        (first(rb",138,face", b",1380,face"), "line 1: a box that is not inside"),
        (first(rb",30\.25,", b",-30.25,"), "line 1: a box that is not inside"),
        (first(rb",130,", b",13,"), "line 1: a box that is not inside"),
        (first(rb"^(.*\n)", rb"\1\1"), "has the box .* several times"),
        (first(rb"^.*\n", b""), "has no row of the box"),
        (first(rb",face,0\.9\n", b",face,0.90\n"), ".* in other bytes"),
        (first(rb",face,0\.9\n", b",face,0.1\n"), "line 1: stands before a surer"),
        (last_line_first, "line 1: stands before .* or an earlier picture"),
    ],
)
def test_an_edited_row_of_what_the_detector_found_is_named(
    whole: Exported, change: Change, what: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "icartoonface", tmp_path)
    found = said(copied, DETTEST_FOUND, change)
    assert any(re.match(what, line) for line in found), found


def test_a_box_that_came_with_a_data_set_need_not_be_found(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "icartoonface", tmp_path)
    path = tmp_path / "release.json"
    summary = json.loads(path.read_text())
    assert summary["cards"]["facts"]["origin"]["given_faces"] == 0
    summary["cards"]["facts"]["origin"]["given_faces"] = 1
    path.write_text(json.dumps(summary))
    assert said(copied, DETTEST_FOUND, first(rb"^.*\n", b"")) == []


def test_boxes_that_a_detector_proposed_are_those_that_it_found(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "icartoonface", tmp_path)
    path = tmp_path / "release.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps({**summary, "detection_boxes": "proposed"}))
    # People drew whole pixels here, and the detector found 30.25.
    found = said(copied, DETTEST_FOUND, first(rb",30\.25,", b",30,"))
    assert any("which is no true box" in line for line in found)
    assert any(line.startswith("has no row of the box 30 22") for line in found)
