"""What the published lists say, damaged ones among them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from icf.app.import_icartoonface.listed import Lists, TestLabels
from icf.app.importing.given import Fault, GivenPicture
from icf.errors import BadInput
from icf.icartoonface import parts
from tests.icartoonface_files import (
    DETTRAIN,
    DETTRAIN_LIST,
    DETVAL,
    DETVAL_LIST,
    RECTEST,
    RECTEST_INFO,
    RECTRAIN,
    RECTRAIN_LIST,
    Published,
    identity_name,
    write_published,
)


def listed(
    root: Path, labels: TestLabels = "own"
) -> tuple[list[GivenPicture], list[Fault], Counter[str]]:
    lists = Lists(root, labels)
    pictures: list[GivenPicture] = []
    faults: list[Fault] = []
    for each in lists.pictures():
        if isinstance(each, Fault):
            faults.append(each)
        else:
            pictures.append(each)
    return pictures, faults, lists.left_out


def names_of(picture: GivenPicture) -> set[str]:
    return {owner.character for owner in picture.owners}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write_published(tmp_path / "published")


def test_every_part_is_read(published: Path) -> None:
    pictures, faults, left_out = listed(published)
    assert Counter(each.part for each in pictures) == {
        parts.TRAIN: 24,
        parts.TEST: 12,
        parts.DISTRACTORS: 3,
        parts.DETECTION_TRAIN: 4,
        parts.DETECTION_TEST: 3,
    }
    assert faults == []
    assert not left_out
    files = [each.file for each in pictures]
    assert all(isinstance(each, Path) and each.is_file() for each in files)


def test_boxes_and_lines_are_those_of_the_list(published: Path) -> None:
    pictures, _, _ = listed(published)
    rows = (published / DETTRAIN_LIST).read_text().splitlines()
    two = next(each for each in pictures if each.url.endswith("dettrain_00002.jpg"))
    assert [given.line for given in two.faces] == [2, 3]
    assert isinstance(two.file, Path)
    assert [
        ",".join([two.file.name, *(f"{side:g}" for side in given.box or ())])
        for given in two.faces
    ] == rows[1:3]
    assert two.all_faces
    assert two.where == f"{published / DETTRAIN_LIST}, line 2"


def test_identities_are_folders_numbers_and_one_for_each_distractor(
    published: Path,
) -> None:
    pictures, _, _ = listed(published)
    shown: dict[str, set[str]] = {}
    for each in pictures:
        shown.setdefault(each.part, set()).update(names_of(each))
    assert shown[parts.TRAIN] == {identity_name(number) for number in range(4)}
    assert shown[parts.TEST] == {
        f"test identity {number:05d}" for number in (0, 1, 4, 5)
    }
    assert len(shown[parts.DISTRACTORS]) == 3
    assert shown[parts.DETECTION_TRAIN] == shown[parts.DETECTION_TEST] == set()


def test_the_numbers_of_the_test_may_be_those_of_training(published: Path) -> None:
    pictures, _, _ = listed(published, "training")
    test = set[str]().union(
        *(names_of(each) for each in pictures if each.part == parts.TEST)
    )
    assert test == {identity_name(number) for number in (0, 1, 4, 5)}


def test_the_info_file_without_pairs_says_the_same(tmp_path: Path) -> None:
    one = write_published(tmp_path / "one")
    other = write_published(tmp_path / "other", Published(pairs=False))
    assert len((other / RECTEST_INFO).read_text().splitlines()) == 15
    assert [(each.url, each.faces) for each in listed(one)[0]] == [
        (each.url, each.faces) for each in listed(other)[0]
    ]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Published(seen=0, unseen=0, distractors=0, detection_train=0), 27),
        (Published(identities=0, detection_train=0, detection_test=0), 15),
        (Published(0, 0, 0, 0, 0, 0, detection_train=3, detection_test=0), 3),
    ],
)
def test_any_subset_is_read(tmp_path: Path, size: Published, expected: int) -> None:
    pictures, faults, _ = listed(write_published(tmp_path / "some", size))
    assert len(pictures) == expected
    assert faults == []


def test_archives_may_be_unpacked_into_folders_of_their_own(published: Path) -> None:
    expected = [each.url for each in listed(published)[0]]
    deep = published / "rec" / "personai_icartoonface_rectrain"
    deep.mkdir(parents=True)
    (published / RECTRAIN).rename(deep / RECTRAIN)
    (published / RECTRAIN_LIST).rename(published / "rec" / RECTRAIN_LIST)
    assert [each.url for each in listed(published)[0]] == expected


def test_the_list_before_the_last_one_is_read_where_the_last_is_missing(
    published: Path,
) -> None:
    (published / DETTRAIN_LIST).rename(published / "icartoonface_dettrain.csv")
    assert len(listed(published)[0]) == 46


def test_damaged_lines_are_named_and_the_others_read(published: Path) -> None:
    damages = {
        RECTRAIN_LIST: "no tabs here",
        RECTEST_INFO: "personai_x.jpg 1 2 three 4 5",
        DETTRAIN_LIST: "personai_x.jpg,1,2,3",
        DETVAL_LIST: "personai_x.jpg,1,2,3,4,dog",
    }
    for name, line in damages.items():
        path = published / name
        end = "\r\n" if name == DETVAL_LIST else "\n"
        path.write_bytes(f"{line}{end}".encode() + path.read_bytes())
    pictures, faults, _ = listed(published)
    assert len(pictures) == 46
    assert [each.where for each in faults] == [
        f"{published / name}, line 1" for name in damages
    ]
    assert "TAB-separated" in faults[0].why
    assert "'dog'" in faults[3].why


def test_a_picture_cut_short_is_no_pair(published: Path) -> None:
    path = published / RECTEST_INFO
    path.write_text(path.read_text() + "personai_x.jpg 5\n")
    pictures, [fault], _ = listed(published)
    assert len(pictures) == 46
    assert "expected a listed picture in a pair, found 'personai_x.jpg'" in fault.why


def test_a_name_that_is_decomposed_on_the_disk_is_found(published: Path) -> None:
    path = published / DETVAL_LIST
    rows = path.read_text().splitlines()
    name = rows[0].split(",")[0]
    path.write_text("\n".join(row.replace(name, "é.jpg") for row in rows))
    there = published / DETVAL / "e\u0301.jpg"
    (published / DETVAL / name).rename(there)
    pictures, faults, left_out = listed(published)
    assert (faults, left_out) == ([], {})
    [one] = [each for each in pictures if each.file == there]
    assert one.url.endswith("/é.jpg")


def test_missing_pictures_are_named(published: Path) -> None:
    gone = published / RECTEST / f"personai_{RECTEST}_0000000.jpg"
    gone.unlink()
    pictures, [fault], _ = listed(published)
    assert len(pictures) == 45
    assert str(fault) == (
        f"{published / RECTEST_INFO}, line 1: there is no picture {gone}"
    )


def test_a_name_that_leads_out_of_the_folder_is_no_picture(published: Path) -> None:
    path = published / DETTRAIN_LIST
    path.write_text(f"../{DETVAL_LIST},1,1,5,5\n{path.read_text()}")
    _, [fault], _ = listed(published)
    assert "a picture below the folder" in fault.why


def test_boxes_that_are_none_are_counted_and_leave_no_background(
    published: Path,
) -> None:
    path = published / DETTRAIN_LIST
    rows = path.read_text().splitlines()
    name = rows[1].split(",")[0]
    path.write_text("\n".join([*rows, f"{name},5,5,5,9", rows[0]]))
    pictures, faults, left_out = listed(published)
    assert faults == []
    assert left_out == {"a box without area": 1, "the same box again": 1}
    detection = [each for each in pictures if each.part == parts.DETECTION_TRAIN]
    assert [each.all_faces for each in detection] == [True, False, True, True]


def test_a_picture_of_bad_boxes_alone_and_one_in_no_list_are_counted(
    published: Path,
) -> None:
    path = published / DETVAL_LIST
    rows = path.read_text().splitlines()
    name = rows[0].split(",")[0]
    path.write_text("\n".join([f"{name},5,5,5,9,face", *rows[1:]]))
    (published / DETVAL / "extra.jpg").write_bytes(b"")
    pictures, _, left_out = listed(published)
    assert len(pictures) == 45
    assert left_out == {
        "a box without area": 1,
        "a picture without a box": 1,
        "a picture that is in no list": 1,
    }


def test_a_list_without_its_pictures_is_refused(published: Path) -> None:
    (published / DETTRAIN).rename(published / "elsewhere")
    with pytest.raises(BadInput, match=f"but {DETTRAIN} is nowhere below"):
        Lists(published)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the archives must be unpacked"):
        Lists(tmp_path)
