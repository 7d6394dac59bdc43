"""The training parts of a release, as training data."""

from __future__ import annotations

import json
import pickle
import shutil
from collections import Counter
from pathlib import Path

import pytest

from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.errors import BadInput
from icf.icartoonface.detection import read_dettrain_csv
from icf.icartoonface.recognition import read_rectrain_det
from icf.icartoonface.release_files import (
    DETTRAIN_BOXES,
    IDENTITIES,
    RECTRAIN_LIST,
    UNASKED,
)
from icf.models.data.release import ReleaseReader
from tests.dataset.drawn import Drawing, Size
from tests.models.data.files import reasons, split


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    space = Drawing(folder / "space", Size()).draw()
    assert write(space, prepare(space, 1), folder / "out", 1)
    space.catalogue.close()
    return folder / "out"


@pytest.fixture
def release(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "out"))


def test_it_has_the_training_pictures_of_both_sets_and_none_of_the_test(
    release: Path,
) -> None:
    pictures, skipped = split(ReleaseReader(release))
    assert skipped == []
    recognition = read_rectrain_det(release / RECTRAIN_LIST)
    detection = read_dettrain_csv(release / DETTRAIN_BOXES)
    keys = [each.key for each in pictures]
    assert keys == [
        *(f"recognition/icartoonface_rectrain/{each}" for each in recognition.paths),
        *(f"detection/icartoonface_dettrain/{each}" for each in detection.pictures),
    ]
    boxes = [face.box for each in pictures for face in each.faces]
    assert boxes == [
        *map(tuple, recognition.boxes.astype(float).tolist()),
        *map(tuple, detection.corners.tolist()),
    ]


def test_an_identity_is_the_character_of_the_album(release: Path) -> None:
    pictures, _ = split(ReleaseReader(release))
    faces = Counter(face.identity for each in pictures for face in each.faces)
    counts = json.loads((release / "release.json").read_text())["counts"]
    assert faces.pop(None) == counts["detection_train_boxes"]
    assert len(faces) == counts["train_identities"]
    assert {str(each).split(" ")[0] for each in faces} == {"Album"}


def test_folders_of_characters_that_are_called_alike_keep_their_names(
    release: Path,
) -> None:
    table = release / IDENTITIES
    head, first, second, *rest = table.read_text().splitlines()
    names = first.split(",")[2:4]
    second = ",".join([*second.split(",")[:2], *names, second.split(",")[4]])
    table.write_text("\n".join([head, first, second, *rest]))
    pictures, _ = split(ReleaseReader(release))
    identities = {face.identity for each in pictures for face in each.faces}
    folders = {each for each in identities if each and "rectrain" in each}
    assert folders == {
        "personai_icartoonface_rectrain_00000",
        "personai_icartoonface_rectrain_00001",
    }


def test_only_the_detection_set_is_complete(release: Path) -> None:
    pictures, _ = split(ReleaseReader(release))
    assert all(each.complete is each.key.startswith("detection/") for each in pictures)


def test_files_of_one_picture_are_one_group(release: Path) -> None:
    reader = ReleaseReader(release)
    pictures, _ = split(reader)
    by_bytes = {each.key: hash(reader.read(each.key)) for each in pictures}
    by_group = {each.key: each.group for each in pictures}
    assert "" not in by_group.values()
    assert len(set(by_group.values())) < len(by_group)
    pairs = {(by_bytes[key], by_group[key]) for key in by_group}
    assert len(pairs) == len(set(by_bytes.values())) == len(set(by_group.values()))


def test_a_reference_that_nobody_was_asked_about_is_not_checked(release: Path) -> None:
    listed = {
        row.split(",")[0] for row in (release / UNASKED).read_text().splitlines()[1:]
    }
    pictures, _ = split(ReleaseReader(release))
    unchecked = {each.key for each in pictures if not each.checked}
    assert unchecked == {each for each in listed if "rectrain" in each}
    assert unchecked
    (release / UNASKED).unlink()
    pictures, _ = split(ReleaseReader(release))
    assert all(each.checked for each in pictures)


def test_its_licence_is_that_of_the_training_pictures(release: Path) -> None:
    assert ReleaseReader(release).licence == "CC-BY-SA-4.0, CC0-1.0, unknown"


def test_a_picture_that_was_withdrawn_is_named(release: Path) -> None:
    reader = ReleaseReader(release)
    pictures, _ = split(reader)
    (release / pictures[0].key).unlink()
    after, skipped = split(reader)
    assert [each.key for each in after] == [each.key for each in pictures[1:]]
    assert reasons(skipped) == ["no such picture"]


def test_a_release_of_several_formats_is_read(release: Path, tmp_path: Path) -> None:
    expected, _ = split(ReleaseReader(release))
    other = tmp_path / "other"
    (other / "icartoonface").mkdir(parents=True)
    for name in ("recognition", "detection"):
        (release / name).rename(other / "icartoonface" / name)
    summary = json.loads((release / "release.json").read_text())
    summary["formats"] = {"coco": "coco", "icartoonface": "icartoonface"}
    (other / "release.json").write_text(json.dumps(summary))
    rows = (release / "licences.csv").read_text().splitlines()
    table = "\n".join([rows[0], *(f"icartoonface/{row}" for row in rows[1:])])
    (other / "licences.csv").write_text(table)
    found, _ = split(ReleaseReader(other))
    assert [each.faces for each in found] == [each.faces for each in expected]
    assert [each.group for each in found] == [each.group for each in expected]
    assert {each.checked for each in found} == {True, False}
    assert ReleaseReader(other).licence == ReleaseReader(release).licence


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        (None, "cannot be read"),
        ("{", "release.json is damaged"),
        ("[]", "release.json is damaged"),
        ("[" * 100_000, "release.json is damaged"),
        ('{"formats": {"coco": "."}}', "written as coco alone"),
    ],
)
def test_what_is_no_release_is_refused(
    release: Path, summary: str | None, message: str
) -> None:
    (release / "release.json").unlink()
    if summary is not None:
        (release / "release.json").write_text(summary)
    with pytest.raises(BadInput, match=message):
        next(ReleaseReader(release).pictures())


@pytest.mark.parametrize(
    ("text", "message"),
    [("name\nLuna\n", "no column label, album"), (None, "cannot be read")],
)
def test_a_damaged_table_is_named(
    release: Path, text: str | None, message: str
) -> None:
    table = release / IDENTITIES
    table.unlink()
    if text is not None:
        table.write_text(text)
    with pytest.raises(BadInput, match=message):
        next(ReleaseReader(release).pictures())


def test_the_fingerprint_is_of_the_content(release: Path, tmp_path: Path) -> None:
    reader = pickle.loads(pickle.dumps(ReleaseReader(release)))
    before = reader.fingerprint()
    copy = shutil.copytree(release, tmp_path / "copy", copy_function=shutil.copyfile)
    assert ReleaseReader(Path(copy)).fingerprint() == before
    with (release / RECTRAIN_LIST).open("a") as file:
        file.write("\n")
    assert reader.fingerprint() != before
