from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.yolo import YoloReader
from tests.core.pictures import drawing, with_orientation
from tests.models.data.files import reasons, split, write_jpeg, write_lines

CONFIG = "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: face\n  1: dog\n"


def write(top: Path, *rows: str, config: str = CONFIG) -> YoloReader:
    write_jpeg(top / "images/train/a.jpg", 200, 100)
    write_lines(top / "labels/train/a.txt", rows)
    (top / "data.yaml").write_text(config)
    return YoloReader(top)


def test_boxes_are_centre_and_size_as_shares(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "images/train/empty.jpg")
    write_jpeg(tmp_path / "images/val/v.jpg")
    reader = write(tmp_path, "0 0.5 0.5 0.2 0.4")
    pictures, skipped = split(reader)
    assert not skipped
    [face] = pictures[0].faces
    assert face.box == pytest.approx((80, 30, 120, 70))
    assert face.kind == "cartoon"
    assert pictures[1] == LabelledPicture("images/train/empty.jpg", (), complete=True)
    assert reader.read("images/train/a.jpg")


@pytest.mark.parametrize(
    ("pictures", "labels", "config"),
    [
        ("train/images", "train/labels", "train: ../train/images\nnames: ['face']\n"),
        ("images", "labels", "train: images\nnames: ['face']\n"),
        ("one/images", "one/labels", "train: [one/images]\nnames: {0: face}\n"),
        ("images/t", "labels/t", "path: /gone\ntrain: images/t\nnames: [face]\n"),
        ("images", "labels", "train: images\nnames: {'0': face}\n"),
        ("flat", "flat", "train: flat\nnames: [face]\n"),
    ],
)
def test_the_layouts_that_people_export_are_read(
    tmp_path: Path, pictures: str, labels: str, config: str
) -> None:
    write_jpeg(tmp_path / pictures / "a.jpg")
    write_lines(tmp_path / labels / "a.txt", ["0 0.5 0.5 0.5 0.5"])
    (tmp_path / "data.yaml").write_text(config)
    found = [
        p for p in YoloReader(tmp_path).pictures() if isinstance(p, LabelledPicture)
    ]
    assert [(picture.key, len(picture.faces)) for picture in found] == [
        (f"{pictures}/a.jpg", 1)
    ]


def test_pictures_of_which_none_has_labels_are_refused(tmp_path: Path) -> None:
    reader = write(tmp_path, "0 0.5 0.5 0.2 0.4")
    (tmp_path / "labels").rename(tmp_path / "annotations")
    with pytest.raises(BadInput, match=r"none of its .*/labels/train/a\.txt"):
        split(reader)


@pytest.mark.parametrize("turned", [1, 6, 8])
def test_shares_are_of_the_upright_picture(tmp_path: Path, turned: int) -> None:
    reader = write(tmp_path, "0 0.5 0.5 0.5 0.5")
    path = tmp_path / "images/train/a.jpg"
    path.write_bytes(with_orientation(drawing(200, 100), "JPEG", turned))
    pictures, _ = split(reader)
    upright = (50, 25, 150, 75) if turned == 1 else (25, 50, 75, 150)
    assert pictures[0].faces == (LabelledFace(upright),)


EYES, NOSE, MOUTH = [0.46, 0.45, 0.55, 0.46], [0.5, 0.52], [0.47, 0.6, 0.54, 0.61]


@pytest.mark.parametrize("seen", [False, True])
def test_five_points_of_a_face_that_nobody_announced_are_passed_over(
    tmp_path: Path, seen: bool
) -> None:
    points = [*EYES, *NOSE, *MOUTH]
    unknown = [-1.0] * 10
    rows = []
    for numbers in (points, unknown):
        pairs = zip(numbers[0::2], numbers[1::2], strict=True)
        each = [(*pair, 0.0) if seen else pair for pair in pairs]
        rows.append(" ".join(map(str, (0, 0.5, 0.5, 0.2, 0.4, *sum(each, ())))))
    rows[1] = rows[1].replace("0.5 0.5 0.2 0.4", "0.2 0.5 0.2 0.4")
    pictures, skipped = split(write(tmp_path, *rows))
    assert not skipped
    boxes = [face.box for face in pictures[0].faces]
    assert boxes == [pytest.approx((80, 30, 120, 70)), pytest.approx((20, 30, 60, 70))]


def test_a_polygon_of_seven_points_is_its_bounds(tmp_path: Path) -> None:
    corners = "0.4 0.4 0.45 0.3 0.5 0.3 0.55 0.4 0.55 0.6 0.5 0.7 0.42 0.6"
    pictures, skipped = split(write(tmp_path, f"0 {corners}"))
    assert not skipped
    assert pictures[0].faces[0].box == pytest.approx((80, 30, 110, 70))


def test_a_polygon_is_its_bounds(tmp_path: Path) -> None:
    pictures, skipped = split(write(tmp_path, "0 0.1 0.2 0.5 0.2 0.3 0.6"))
    assert not skipped
    assert pictures[0].faces[0].box == pytest.approx((20, 20, 100, 60))


@pytest.mark.parametrize("shape", [[5, 2], [5, 3]])
def test_key_points_behind_a_box_are_passed_over(
    tmp_path: Path, shape: list[int]
) -> None:
    points = " 0.4 0.4 0.6 0.4 0.5 0.5 0.4 0.6 0.6 0.6" + " 2" * (5 * (shape[1] - 2))
    config = f"train: images/train\nnames: [face]\nkpt_shape: {shape}\n"
    reader = write(
        tmp_path, "0 0.5 0.5 0.2 0.4" + points, "0 0.2 0.5 0.2 0.4", config=config
    )
    pictures, skipped = split(reader)
    assert not skipped
    first, second = pictures[0].faces
    assert first.box == pytest.approx((80, 30, 120, 70))
    assert second.box == pytest.approx((20, 30, 60, 70))


@pytest.mark.parametrize("list_file", ["train.txt", "lists/train.txt"])
def test_a_text_file_can_list_the_pictures(tmp_path: Path, list_file: str) -> None:
    for name in ("a", "b", "c", "d", "e"):
        write_jpeg(tmp_path / f"images/{name}.jpg")
        write_lines(tmp_path / f"labels/{name}.txt", ["0 0.5 0.5 0.5 0.5"])
    up = "../" * list_file.count("/")
    names = [
        f"./{up}images/a.jpg",
        "images/b.jpg",
        "/content/data/images/c.jpg",
        r"C:\data\images\d.jpg",
        "",
        "images/a.jpg",
        "images/gone.jpg",
    ]
    write_lines(tmp_path / list_file, names)
    (tmp_path / "data.yaml").write_text(f"train: {list_file}\nnames: [face]\n")
    reader = YoloReader(tmp_path)
    pictures, skipped = split(reader)
    assert [each.key for each in pictures] == [f"images/{n}.jpg" for n in "abcd"]
    assert all(len(each.faces) == 1 for each in pictures)
    assert [(each.where, each.reason) for each in skipped] == [
        (f"{list_file}, line 6", "the same picture again"),
        (f"{list_file}, line 7", "no such picture"),
    ]
    before = reader.fingerprint()
    write_lines(tmp_path / "labels/d.txt", ["0 0.5 0.5 0.25 0.5"])
    assert reader.fingerprint() != before


def test_damaged_rows_are_left_out_with_their_line(tmp_path: Path) -> None:
    rows = [
        "0 0.5 0.5 0.2 0.4",
        "0 0.5 0.5 0.2 0.4",
        "0 0.5 0.5 0 0.4",
        "0 100 50 20 40",
        "0 0.5 0.5 0.2",
        "x 0.5 0.5 0.2 0.4",
        "5 0.5 0.5 0.2 0.4",
        "1 0.5 0.5 0.2 0.4",
        "0 nan 0.5 0.2 0.4",
        "",
    ]
    pictures, skipped = split(write(tmp_path, *rows))
    assert [(len(p.faces), p.complete) for p in pictures] == [(1, False)]
    assert [(each.where, each.reason) for each in skipped] == [
        ("labels/train/a.txt, line 2", "the same box again"),
        ("labels/train/a.txt, line 3", "a box without area"),
        ("labels/train/a.txt, line 4", "numbers that are no shares of the picture"),
        ("labels/train/a.txt, line 5", "a row that cannot be read"),
        ("labels/train/a.txt, line 6", "a row that cannot be read"),
        ("labels/train/a.txt, line 7", "a class that data.yaml does not name"),
        ("labels/train/a.txt, line 8", "a class that is no face"),
        ("labels/train/a.txt, line 9", "numbers that are no shares of the picture"),
    ]


def test_a_picture_without_a_size_is_left_out(tmp_path: Path) -> None:
    reader = write(tmp_path, "0 0.5 0.5 0.2 0.4")
    (tmp_path / "images/train/a.jpg").write_bytes(b"nothing")
    (tmp_path / "images/train/notes.md").write_text("x")
    assert reasons(split(reader)[1]) == [
        "it cannot be decoded: not_image",
        "not a picture by its name",
    ]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("train: images/train\nnames: [dog]\n", "none of its categories is a face"),
        ("train: images/train\n", "none of its categories is a face"),
        ("names: [face]\n", "expected train: FOLDER"),
        ("train: nowhere\nnames: [face]\n", "there is no folder"),
        ("- a\n", "expected keys"),
        ("a: [", "no YAML"),
        ("a: " + "[" * 5000, "no YAML"),
        ("!!python/object/apply:os.system ['true']\n", "no YAML"),
    ],
)
def test_a_wrong_configuration_is_refused(
    tmp_path: Path, config: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        split(write(tmp_path, "0 0.5 0.5 0.2 0.4", config=config))


def test_a_configuration_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.yaml cannot be read"):
        split(YoloReader(tmp_path))


def test_the_fingerprint_is_that_of_labels_and_pictures(tmp_path: Path) -> None:
    reader = write(tmp_path, "0 0.5 0.5 0.2 0.4")
    before = reader.fingerprint()
    assert reader.fingerprint() == before
    write_lines(tmp_path / "labels/train/a.txt", ["0 0.5 0.5 0.3 0.44"])
    assert reader.fingerprint() != before
