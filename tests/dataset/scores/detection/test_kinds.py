from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from icf.dataset.contents import COLUMNS, FILE
from icf.dataset.release.files import ATTRIBUTES
from icf.dataset.scores.detection.kinds import SEVERAL, kinds_of_release, read_kinds
from icf.dataset.scores.detection.of_release import ReleaseTest
from icf.errors import BadInput
from icf.icartoonface.release_files import DETTEST_BOXES, DETTEST_FOUND

FACE = {
    **dict.fromkeys(("x1", "y1"), "0"),
    **dict.fromkeys(("x2", "y2"), "9"),
    **{"face_pixel_hash": "f" * 64, "face_phash": "0" * 16, "face_dhash": "0" * 16},
    **{"label": "0", "character": "Ada", "confirmed_by": "people"},
}


def release(folder: Path) -> ReleaseTest:
    """Two detection pictures; on the second are faces of two albums."""
    rows = [
        {"part": "train", "name": "0/a.jpg", "sha256": "a" * 64, "album": "Moon"},
        {"part": "probe", "name": "b.jpg", "sha256": "b" * 64, "album": "Moon"},
        {"part": "probe", "name": "c.jpg", "sha256": "b" * 64, "album": "Sun"},
    ]
    shown = [
        {"part": "detection_test", "name": "d0.jpg", "sha256": "a" * 64},
        {"part": "detection_test", "name": "d1.jpg", "sha256": "b" * 64},
    ]
    shown[1]["source_file"] = "e" * 16
    pixels = {"pixel_hash": "c" * 64, "phash": "0" * 16, "dhash": "0" * 16}
    with (folder / FILE).open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows({**pixels, **FACE, **row} for row in rows)
        writer.writerows({**pixels, **row} for row in shown)
    (folder / ATTRIBUTES).write_text(
        "part,name,region,gender,style\n"
        "train,0/a.jpg,east,f,\nprobe,b.jpg,west,m,flat\n"
    )
    files = folder / DETTEST_BOXES, folder / DETTEST_FOUND
    return ReleaseTest(folder, True, *files, None, (), detected=True)


def test_a_release_knows_albums_regions_and_sources(tmp_path: Path) -> None:
    made = kinds_of_release(release(tmp_path), ("d1.jpg", "d0.jpg", "other.jpg"))
    assert made == {
        "album": (SEVERAL, "Moon", ""),
        "region": ("west", "east", ""),
        "style": ("flat", "", ""),
        "source_file": ("e" * 16, "", ""),
    }


def test_a_release_of_an_earlier_version_knows_nothing(tmp_path: Path) -> None:
    test = replace(release(tmp_path), root=tmp_path / "nowhere")
    assert kinds_of_release(test, ("d0.jpg",)) == {}


def test_a_table_without_a_region_is_refused(tmp_path: Path) -> None:
    test = release(tmp_path)
    (tmp_path / ATTRIBUTES).write_text("part,name\ntrain,0/a.jpg\n")
    with pytest.raises(BadInput, match="expected the columns part, name and region"):
        kinds_of_release(test, ("d0.jpg",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a header picture,NAME"),
        ("picture\na.jpg\n", "expected a header picture,NAME"),
        ("picture,style\nb.jpg,flat\n", "line 2: expected a picture of the truth"),
        ("picture,style\na.jpg,flat,x\n", "line 2: 3 columns"),
    ],
)
def test_a_table_of_kinds_that_cannot_be_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "k.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        read_kinds(path, ("a.jpg",))
