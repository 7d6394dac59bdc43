"""What is common to the checks of all formats."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from icf.dataset.contents import FILE, LATER
from tests.dataset.formats.checks.copied import Copied, faults
from tests.dataset.formats.conftest import FORMATS, Exported

#: A part of the detection set that is loose in these.
LOOSE = ("coco", "yolo", "widerface", "imagefolder")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_a_format_as_it_was_written_has_no_fault(
    kind: str, name: str, request: pytest.FixtureRequest
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    assert faults(exported.folder, name) == []


@pytest.mark.parametrize("name", ["coco", "yolo", "manga109", "webdataset", "lfw"])
def test_what_an_earlier_version_did_not_write_is_not_held_against_it(
    whole: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    with (tmp_path / FILE).open(newline="") as file:
        header, *rows = list(csv.reader(file))
    kept = [place for place, column in enumerate(header) if column not in LATER]
    with (tmp_path / FILE).open("w", newline="") as file:
        csv.writer(file).writerows(
            [row[each] for each in kept] for row in [header, *rows]
        )
    assert copied.faults() == []


@pytest.mark.parametrize("name", LOOSE)
def test_a_picture_that_is_swapped_missing_or_added_is_named(
    whole: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    pictures = copied.files("**/*.jpg")
    one, other, gone = [each for each in pictures if "detval" in each][:3]
    copied.swap(one, other)
    (copied.folder / gone).unlink()
    added = (copied.folder / one).with_name("added.jpg")
    added.write_bytes(b"?")
    said = copied.said()
    assert {line.split(": ")[0] for line in said if "is another picture" in line} == {
        one,
        other,
    }
    name = gone.rpartition("/")[2]
    assert any(
        line.startswith(f"{gone}: is missing") or line.endswith(f"nothing of {name}")
        for line in said
    ), said
    assert any("added." in line for line in said), said


@pytest.mark.parametrize("name", ["imagefolder", "webdataset", "insightface", "lfw"])
def test_an_edited_table_of_identities_is_named(
    whole: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    copied.edit("identities.csv", "Character 1-0", "Luna")
    assert {each.file for each in copied.faults()} == {"identities.csv"}


@pytest.mark.parametrize("name", ["insightface", "imagefolder"])
def test_a_corner_beyond_everything_is_named_and_the_others_go_on(
    whole: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(whole, name, tmp_path)
    with (tmp_path / FILE).open(newline="") as file:
        header, first, second, *rows = list(csv.reader(file))
    first[header.index("x1")] = "-1.7e308"
    first[header.index("x2")] = "1.7e308"
    second[header.index("label")] = "12345"
    with (tmp_path / FILE).open("w", newline="") as file:
        csv.writer(file).writerows([header, first, second, *rows])
    said = " ".join(copied.said())
    names = [each[header.index("name")].rpartition("/")[2] for each in (first, second)]
    wrong = "cannot be compared: " if name == "insightface" else "has the box"
    assert f"{names[0]} {wrong}" in said
    assert f"{names[1]} has the label " in said


@pytest.mark.parametrize("name", ["imagefolder", "lfw", "insightface"])
def test_crops_that_are_swapped_are_named(
    cropped: Exported, name: str, tmp_path: Path
) -> None:
    copied = Copied.of(cropped, name, tmp_path)
    if name == "insightface":
        swap_records(copied.folder)
    else:
        one, other = [
            each for each in copied.files("**/*.jpg") if "detval" not in each
        ][:2]
        copied.swap(one, other)
    said = [line for line in copied.said() if "is another picture" in line]
    assert len(said) == 2


Spoil = Callable[[bytes], bytes]


def in_row(number: int, old: bytes, new: bytes) -> Spoil:
    """Change a row, counted from 0 with the header."""

    def spoil(table: bytes) -> bytes:
        rows = table.splitlines(keepends=True)
        rows[number] = rows[number].replace(old, new)
        return b"".join(rows)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (in_row(1, b",", b",\xff"), "line 2: is no row of a crop: 'utf-8' codec"),
        (in_row(2, b",", b",\xff"), "line 3: is no row of a crop: 'utf-8' codec"),
        (in_row(2, b",", b"\0,"), "line 3: is no row of a crop: it has a NUL"),
        (in_row(2, b",", b",."), "line 3: is no row of a crop: invalid literal"),
        (in_row(0, b"y1", b"why"), "line 2: is no row of a crop: 'y1'"),
        (lambda table: table[:-75], "line [0-9]+: is no row of a crop: "),
        (lambda table: b"".join(table.splitlines(True)[:-1]), "has no row of "),
        (lambda table: b"", "has no row of "),
        (None, "is missing"),
    ],
)
@pytest.mark.parametrize(
    "name", ["icartoonface", "imagefolder", "lfw", "insightface", "webdataset"]
)
def test_a_damaged_or_missing_table_of_crops_is_named(
    cropped: Exported, name: str, spoil: Spoil | None, said: str, tmp_path: Path
) -> None:
    copied = Copied.of(cropped, name, tmp_path)
    header, *rows = (tmp_path / "crops.csv").read_bytes().splitlines(keepends=True)
    table = b"".join(
        [header, *(each for each in rows if each.startswith(f"{name}/".encode()))]
    )
    (tmp_path / "crops.csv").unlink()
    if spoil is not None:
        (tmp_path / "crops.csv").write_bytes(spoil(table))
    found = set(copied.said())
    assert found
    assert all(re.match(rf"\.\./crops\.csv: {said}", line) for line in found), found
    if said == "has no row of ":
        cells = csv.reader(line.decode() for line in table.splitlines())
        there = {cell for row in cells for cell in row}
        assert {line.partition(said)[2] for line in found} <= there


def test_crops_of_the_published_layout_are_known_by_their_hash_too(
    cropped: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(cropped, "icartoonface", tmp_path)
    one, other, gone = copied.files("recognition/*/*/*.jpg")[:3]
    copied.swap(one, other)
    (copied.folder / gone).unlink()
    assert [line.split(" its ")[0] for line in copied.said()] == [
        f"{one}: is another picture:",
        f"{other}: is another picture:",
        f"{gone}: is missing",
    ]


def swap_records(folder: Path) -> None:
    """Exchange two pictures of an identity, which may have other lengths."""
    lines = (folder / "train.idx").read_text().splitlines()
    offsets = {int(row.split()[0]): int(row.split()[1]) for row in lines}
    offsets[1], offsets[2] = offsets[2], offsets[1]
    text = "".join(f"{number}\t{offset}\n" for number, offset in offsets.items())
    (folder / "train.idx").write_text(text)
