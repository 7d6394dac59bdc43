from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.icartoonface import ICartoonFaceReader
from tests.models.data.files import reasons, split, write_jpeg, write_lines

RECTRAIN = "icartoonface_rectrain"
DETTRAIN = "icartoonface_dettrain"
REC_LIST = "icartoonface_rectrain_det.txt"
DET_LIST = "personai_icartoonface_dettrain_anno_updatedv1.0.csv"


def rec_name(identity: int, number: int) -> str:
    folder = f"personai_icartoonface_rectrain_{identity:05}"
    return f"{folder}/{folder}_{number:07}.jpg"


def det_name(number: int) -> str:
    return f"personai_icartoonface_dettrain_{number:05}.jpg"


def write_recognition(top: Path) -> None:
    names = [rec_name(0, 0), rec_name(0, 1), rec_name(1, 0)]
    for name in names:
        write_jpeg(top / RECTRAIN / name)
    write_lines(top / REC_LIST, [f"{name}\t3\t4\t40\t44" for name in names])


def write_detection(top: Path) -> None:
    for number in (1, 2):
        write_jpeg(top / DETTRAIN / det_name(number))
    rows = [(1, 2, 3, 20, 30), (2, 5, 5, 25, 25), (2, 30, 5, 50, 25)]
    lines = [f"{det_name(n)},{x1},{y1},{x2},{y2}" for n, x1, y1, x2, y2 in rows]
    write_lines(top / DET_LIST, lines)


@pytest.mark.parametrize(
    ("recognition", "detection"),
    [
        (".", "."),
        ("recognition", "detection"),
        ("a/personai_icartoonface_rectrain", "b/personai_icartoonface_dettrain"),
    ],
)
def test_both_sets_are_found_as_published(
    tmp_path: Path, recognition: str, detection: str
) -> None:
    write_recognition(tmp_path / recognition)
    write_detection(tmp_path / detection)
    reader = ICartoonFaceReader(tmp_path)
    pictures, skipped = split(reader)
    assert not skipped
    assert [picture.key for picture in pictures] == [
        (Path(recognition) / RECTRAIN / rec_name(0, 0)).as_posix(),
        (Path(recognition) / RECTRAIN / rec_name(0, 1)).as_posix(),
        (Path(recognition) / RECTRAIN / rec_name(1, 0)).as_posix(),
        (Path(detection) / DETTRAIN / det_name(1)).as_posix(),
        (Path(detection) / DETTRAIN / det_name(2)).as_posix(),
    ]
    assert all(reader.read(picture.key) for picture in pictures)


def test_recognition_has_identities_and_detection_all_faces(tmp_path: Path) -> None:
    write_recognition(tmp_path)
    write_detection(tmp_path)
    pictures, _ = split(ICartoonFaceReader(tmp_path))
    identity = "personai_icartoonface_rectrain_00000"
    assert pictures[0] == LabelledPicture(
        f"{RECTRAIN}/{rec_name(0, 0)}",
        (LabelledFace((3, 4, 40, 44), "cartoon", identity),),
    )
    assert pictures[4] == LabelledPicture(
        f"{DETTRAIN}/{det_name(2)}",
        (LabelledFace((5, 5, 25, 25)), LabelledFace((30, 5, 50, 25))),
        complete=True,
    )


def test_either_set_may_be_missing(tmp_path: Path) -> None:
    write_recognition(tmp_path / "one")
    write_detection(tmp_path / "other")
    assert len(split(ICartoonFaceReader(tmp_path / "one"))[0]) == 3
    assert len(split(ICartoonFaceReader(tmp_path / "other"))[0]) == 2


def test_the_list_before_the_update_is_read_where_it_is_alone(tmp_path: Path) -> None:
    write_detection(tmp_path)
    (tmp_path / DET_LIST).rename(tmp_path / "icartoonface_dettrain.csv")
    assert len(split(ICartoonFaceReader(tmp_path))[0]) == 2


def test_damaged_rows_are_left_out_with_their_line(tmp_path: Path) -> None:
    write_recognition(tmp_path)
    path = tmp_path / REC_LIST
    good = path.read_text()
    bad = [
        f"{rec_name(0, 0)}\t3\t4\t40\t44",  # line 4
        f"{rec_name(0, 1)}\t40\t4\t3\t44",
        f"{rec_name(7, 7)}\t3\t4\t40\t44",
        f"{rec_name(1, 0)} 3 4 40 44",
        f"../{RECTRAIN}/{rec_name(1, 0)}\t3\t4\t40\t44",
        f"{rec_name(1, 0)}\t3\t4\tx\t44",
    ]
    path.write_text(good + "\n".join(bad))
    pictures, skipped = split(ICartoonFaceReader(tmp_path))
    assert len(pictures) == 3
    assert reasons(skipped) == [
        "the same box again",
        "a box without area",
        "no such picture",
        "a row that cannot be read",
        "a row that cannot be read",
        "a row that cannot be read",
    ]
    assert [f"line {4 + i}" in each.where for i, each in enumerate(skipped)] == [
        True
    ] * 6


def test_a_picture_with_a_bad_box_is_not_background_elsewhere(tmp_path: Path) -> None:
    write_detection(tmp_path)
    with (tmp_path / DET_LIST).open("a") as file:
        file.write(f"{det_name(2)},9,9,9,20\n")
    pictures, skipped = split(ICartoonFaceReader(tmp_path))
    assert [picture.complete for picture in pictures] == [True, False]
    assert reasons(skipped) == ["a box without area"]


def test_a_picture_that_is_in_no_list_is_said(tmp_path: Path) -> None:
    write_recognition(tmp_path)
    write_jpeg(tmp_path / RECTRAIN / rec_name(3, 3))
    assert reasons(split(ICartoonFaceReader(tmp_path))[1]) == [
        "not in the list of boxes"
    ]


@pytest.mark.parametrize("missing", [RECTRAIN, REC_LIST])
def test_a_list_needs_its_pictures_and_they_need_it(
    tmp_path: Path, missing: str
) -> None:
    write_recognition(tmp_path)
    (tmp_path / missing).rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match=f"but {missing} is nowhere below"):
        split(ICartoonFaceReader(tmp_path))


def test_a_folder_without_any_of_it_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither icartoonface_rectrain_det"):
        split(ICartoonFaceReader(tmp_path))


def test_the_fingerprint_is_that_of_lists_and_pictures(tmp_path: Path) -> None:
    write_recognition(tmp_path)
    before = ICartoonFaceReader(tmp_path).fingerprint()
    assert ICartoonFaceReader(tmp_path).fingerprint() == before
    (tmp_path / REC_LIST).write_text("x\t1\t1\t2\t2\n")
    assert ICartoonFaceReader(tmp_path).fingerprint() != before
