from __future__ import annotations

import csv
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from icf.dataset.formats.checked import Fault
from icf.dataset.formats.icartoonface.writer import ICartoonFaceWriter
from icf.dataset.release.known import read_summary
from icf.dataset.release.prepare import prepare
from icf.dataset.release.present import lost_or_changed
from icf.dataset.release.write import write
from icf.dataset.takedowns.clean import clean
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.unused import read_unused
from icf.dataset.verify.verify import verify
from icf.errors import BadInput, WrongUse
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTRAIN_BOXES_BEFORE,
    DETTRAIN_FOLDER,
    FEATURES,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTEST_LABELS,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
    UNASKED,
)
from icf.workspace import find
from tests.dataset.verify.forged import describe_again, sum_again


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that nobody changed."""
    root = tmp_path_factory.mktemp("verified")
    shutil.copytree(drawn, root / "space")
    workspace = find(root / "space")
    write(workspace, prepare(workspace, 1), root / "out", 1)
    workspace.catalogue.close()
    return root / "out"


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "release")


def lines(release: Path, *, quick: bool = True, hub: bool = False) -> list[str]:
    return [str(each) for each in verify(release, quick=quick, hub=hub).faults]


def names_of(found: list[str]) -> set[str]:
    return {line.split(": ")[0] for line in found}


def pictures(release: Path, folder: Path) -> list[Path]:
    return sorted(p for p in (release / folder).rglob("*") if p.is_file())


def rows_of(release: Path) -> list[list[str]]:
    """The rows of the contents, the header first."""
    with (release / "contents.csv").open(newline="") as file:
        return list(csv.reader(file))


def write_rows(release: Path, rows: list[list[str]]) -> None:
    with (release / "contents.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_bytes().decode()
    assert change(text) != text
    path.write_bytes(change(text).encode())


def test_a_release_as_it_was_written_is_whole(release: Path) -> None:
    found = verify(release)
    assert found.faults == ()
    assert found.files == sum(path.is_file() for path in release.rglob("*")) - 1
    assert len(found.notes) == 1


def test_a_swapped_picture_is_named_whatever_was_written_over(release: Path) -> None:
    train = pictures(release, RECTRAIN_FOLDER)[0]
    test = pictures(release, RECTEST_FOLDER)[0]
    name = test.relative_to(release).as_posix()
    shutil.copyfile(train, test)
    found = lines(release)
    assert names_of(found) == {name, "licences.csv"}
    assert any("has changed" in line for line in found)
    sum_again(release)
    assert lines(release) == [
        f"licences.csv: is of another picture than {name} is",
        f"{name}: is the picture {train.parent.name}/{train.name} of train, and not "
        "the one that contents.csv has",
    ]
    # Even if the contents are made to agree, train and test share it.
    body = rows_of(release)
    source = next(row for row in body if row[1] == f"{train.parent.name}/{train.name}")
    for row in body:
        if row[0] == "probe" and row[1] == test.name:
            row[2:6] = source[2:6]
    write_rows(release, body)
    sum_again(release)
    found = lines(release)
    assert any(line.startswith("contents.csv: same_bytes: 1 ") for line in found)
    assert f"licences.csv: is of another picture than {name} is" in found


@pytest.mark.parametrize(
    "file",
    [
        RECTRAIN_LIST,
        RECTEST_INFO,
        RECTEST_LABELS,
        IDENTITIES,
        FEATURES,
        DETTRAIN_BOXES_BEFORE,
        DETTEST_BOXES,
        UNASKED,
        *map(
            Path,
            (
                "contents.csv",
                "licences.csv",
                "release.json",
                "leaks.json",
                "unused.csv",
            ),
        ),
    ],
)
def test_a_missing_file_is_named_with_and_without_its_sum(
    release: Path, file: Path
) -> None:
    (release / file).unlink()
    assert f"{file.as_posix()}: is missing" in lines(release)
    sum_again(release)
    assert f"{file.as_posix()}: is missing" in lines(release)


def test_a_missing_added_or_cut_picture_is_named(release: Path) -> None:
    gone, cut, *_ = pictures(release, DETTRAIN_FOLDER)
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-9])
    shutil.copyfile(
        pictures(release, RECTRAIN_FOLDER)[0], release / DETTEST_FOLDER / "new.jpg"
    )
    sum_again(release)
    assert names_of(lines(release)) == {
        gone.relative_to(release).as_posix(),
        cut.relative_to(release).as_posix(),
        (DETTEST_FOLDER / "new.jpg").as_posix(),
        "licences.csv",
    }


def first_label(text: str) -> str:
    line, rest = text.split("\n", 1)
    return f"{line.rpartition(' ')[0]} 14\n{rest}"


def a_pair(text: str) -> str:
    """The first two pictures of a list that are of one identity."""
    seen: dict[str, str] = {}
    for line in text.splitlines():
        name, *_, label = line.split()
        if label in seen and label != "-1":
            return f"{seen[label]} {name}"
        seen[label] = name
    raise AssertionError(text)


def without_last_line(text: str) -> str:
    return text[: text.rstrip().rindex("\n") + 1]


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        (RECTRAIN_LIST, lambda t: t.replace("\t22\t", "\t23\t", 1), "line 1: .* box"),
        (RECTRAIN_LIST, without_last_line, "has no line of"),
        (RECTRAIN_LIST, lambda t: t.replace("\t", " ", 1), "line 1: .*TAB"),
        (RECTEST_INFO, first_label, "label"),
        (RECTEST_INFO, without_last_line, "pairs"),
        (RECTEST_LABELS, first_label, "label"),
        (RECTEST_LABELS, without_last_line, "has no line of"),
        (RECTEST_LABELS, lambda t: f"{t}{a_pair(t)}\n", "has 1 pairs, and should have"),
        (DETTRAIN_BOXES_BEFORE, without_last_line, "boxes, and release.json counts"),
        (DETTRAIN_BOXES_BEFORE, lambda t: t.replace(",22,", ",23,", 1), "the boxes"),
        (IDENTITIES, lambda t: t.replace("Character 1-0", "Luna", 1), "Luna"),
        (UNASKED, without_last_line, "has no row"),
        (DETTEST_BOXES, without_last_line, "boxes, and release.json counts"),
        (DETTEST_BOXES, lambda t: t.replace(",22,", ",23,", 1), "has the boxes"),
        (
            DETTEST_BOXES,
            lambda t: t.replace("detval_00001", "detval_90001"),
            "detval_90001.jpg, which is not in detection_test",
        ),
    ],
)
def test_an_edited_list_is_named_with_its_line_though_the_sums_agree(
    release: Path, file: Path, change: Callable[[str], str], named: str
) -> None:
    edit(release / file, change)
    assert any("has changed: its SHA-256" in line for line in lines(release))
    sum_again(release)
    found = lines(release)
    assert names_of(found) == {file.as_posix()}
    with pytest.raises(AssertionError, match=named):
        raise AssertionError(found)


@pytest.mark.parametrize(("file", "end"), [(RECTRAIN_LIST, ""), (RECTEST_INFO, " -1")])
def test_of_a_line_that_was_deleted_that_line_alone_is_named(
    release: Path, file: Path, end: str
) -> None:
    rows = (release / file).read_text().splitlines(keepends=True)
    lost = next(row for row in rows if row.rstrip("\n").endswith(end))
    rows.remove(lost)
    (release / file).write_text("".join(rows))
    sum_again(release)
    found = [line for line in lines(release) if "features" not in line]
    assert found == [f"{file.as_posix()}: has no line of {lost.split()[0]}"]


def rewrite(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        rows = len(pictures(path.parent.parent, RECTEST_FOLDER))
        features = np.fromfile(path, "<f8").reshape(rows, -1)
        path.write_bytes(np.ascontiguousarray(change(features.copy())).tobytes())

    return spoil


def nan(features: np.ndarray) -> np.ndarray:
    features[3, 2] = np.nan
    return features


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (rewrite(lambda f: f.astype("<f4")), "holds float32, and not float64"),
        (rewrite(nan), "row 4: a number is NaN"),
        (rewrite(lambda f: f * 2), "row 1: its length is 2, and not 1"),
        (rewrite(lambda f: f[:-1]), "expected .* rows"),
    ],
)
def test_features_that_cannot_be_true_are_named(
    release: Path, spoil: Callable[[Path], None], named: str
) -> None:
    spoil(release / FEATURES)
    sum_again(release)
    found = lines(release)
    assert names_of(found) == {FEATURES.as_posix()}
    with pytest.raises(AssertionError, match=named):
        raise AssertionError(found)


def test_edited_hashes_of_a_picture_are_found_by_decoding_it(release: Path) -> None:
    rows = rows_of(release)
    at = {name: number for number, name in enumerate(rows[0])}
    rows[1][at["pixel_hash"]] = "0" * 64
    rows[2][at["phash"]] = "f" * 16
    rows[3][at["face_pixel_hash"]] = "1" * 64
    rows[4][at["width"]] = "161"
    write_rows(release, rows)
    sum_again(release)
    records = "records/detection_train.parquet"
    assert names_of(lines(release)) == {"contents.csv", records}
    describe_again(release)
    [width] = lines(release)
    assert width == f"{records}: has other rows than contents.csv gives"
    found = lines(release, quick=False)
    assert len(found) == 5
    assert "is 160 x 160, and not as in contents.csv" in "".join(found)
    assert "its pixels have another hash" in "".join(found)
    assert "its pHash or dHash is another" in "".join(found)
    assert "the face of Character" in "".join(found)


@pytest.mark.parametrize(
    "file",
    [
        *("README.md", "datasheet.md", "ATTRIBUTION.md", "release.json", "leaks.json"),
        *("unused.csv", "licences.csv", "records/identities.parquet"),
        FEATURES.as_posix(),
    ],
)
def test_a_file_that_the_description_has_otherwise_is_named_whatever_its_sum(
    release: Path, file: str
) -> None:
    path = release / file
    data = path.read_bytes()
    # What nobody reads: a blank at the end, or another last digit.
    last = data[:-1] + bytes([data[-1] ^ 1])
    path.write_bytes(data + b" " if path.suffix in (".md", ".json") else last)
    sum_again(release)
    assert any(line.startswith(f"{file}: ") for line in lines(release))


def test_a_description_that_was_edited_is_named(release: Path) -> None:
    path = release / "croissant.json"
    described = json.loads(path.read_text())
    first = next(each for each in described["distribution"] if "sha256" in each)
    assert first["contentUrl"] == "ATTRIBUTION.md"
    size, first["contentSize"] = first["contentSize"], "7 B"
    path.write_text(json.dumps(described))
    sum_again(release)
    said = "croissant.json: has another size of ATTRIBUTION.md: 7 B"
    assert lines(release) == [said]
    first |= {"contentSize": size, "contentUrl": "other.md"}
    path.write_text(json.dumps(described))
    sum_again(release)
    assert lines(release) == ["other.md: is missing"]
    path.write_text("[]")
    sum_again(release)
    [said] = lines(release)
    assert said.startswith("croissant.json: is no description of a release: ")
    path.unlink()
    sum_again(release)
    assert lines(release) == ["croissant.json: is missing"]


def test_what_a_release_cannot_contain_is_no_fault_before_or_after_a_cleaning(
    drawn: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path / "space")
    workspace = find(tmp_path / "space", ("harvest.only_licence=CC BY*,CC0",))
    out = tmp_path / "out"
    write(workspace, prepare(workspace, 1), out, 1)
    workspace.catalogue.close()
    other = {
        each.sha256
        for each in read_unused(out / "unused.csv")
        if each.reason == "other_licence"
    }
    assert other
    assert lines(out) == []
    clean(out, Withdrawn(frozenset([min(other)]), frozenset(), frozenset()))
    assert lines(out) == []


def test_edited_counts_leaks_and_licences_are_named(release: Path) -> None:
    summary = json.loads((release / "release.json").read_text())
    summary["counts"]["probes"] += 1
    summary["leaks"]["same_pixels"] = 1
    (release / "release.json").write_text(json.dumps(summary))
    edit(release / "licences.csv", without_last_line)
    sum_again(release)
    found = lines(release)
    assert names_of(found) == {"release.json", "leaks.json", "licences.csv"}
    assert any("probes" in line for line in found)
    assert "release.json: says same_pixels: 1, and 0 are found" in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leaks.json", "is no report of a search for leaks: RecursionError"),
        ("certificate.json", "is no certificate: RecursionError"),
        ("release.json", "cannot be read: maximum recursion depth"),
    ],
)
def test_json_that_is_nested_too_deeply_is_named(
    release: Path, name: str, said: str
) -> None:
    (release / name).write_text("[" * 100_000)
    assert f"{name}: {said}" in "\n".join(lines(release))


def test_a_list_of_takedowns_that_is_nested_too_deeply_is_named(release: Path) -> None:
    (release / "taken_down.json").write_text("[" * 100_000)
    with pytest.raises(BadInput, match=r"taken_down\.json cannot be read: "):
        lines(release)


@pytest.mark.parametrize("value", ["x", None, [1], math.inf])
def test_a_count_that_is_no_number_is_named_and_the_rest_too(
    release: Path, value: object
) -> None:
    summary = json.loads((release / "release.json").read_text())
    summary["counts"]["confirmed_faces"] = value
    (release / "release.json").write_text(json.dumps(summary))
    edit(release / "licences.csv", without_last_line)
    sum_again(release)
    found = lines(release)
    assert names_of(found) == {"release.json", "licences.csv"}
    what = f"counts {value!r} as confirmed_faces, which is no number"
    assert f"release.json: {what}" in found


def test_a_count_of_boxes_that_is_no_number_hides_no_other_list(release: Path) -> None:
    summary = json.loads((release / "release.json").read_text())
    summary["counts"]["detection_train_boxes"] = "x"
    (release / "release.json").write_text(json.dumps(summary))
    edit(release / DETTEST_BOXES, without_last_line)
    sum_again(release)
    found = "\n".join(lines(release))
    assert "boxes, and release.json counts 'x'" in found
    assert f"{DETTEST_BOXES.as_posix()}: " in found


def test_a_check_that_cannot_go_on_is_a_fault_and_the_others_go_on(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Iterator[Fault]:
        yield Fault("unused.csv", "is odd")
        raise OverflowError("infinity")

    monkeypatch.setattr("icf.dataset.verify.verify.check_unused", fail)
    monkeypatch.setattr(ICartoonFaceWriter, "verify", fail)
    edit(release / "licences.csv", without_last_line)
    sum_again(release)
    said = lines(release)
    assert {"unused.csv: is odd", ".: cannot be checked: OverflowError('infinity')"} < {
        *said
    }
    assert "unused.csv: cannot be checked: OverflowError('infinity')" in said
    assert "licences.csv" in names_of(said)


def test_an_unused_face_that_is_lost_twice_or_in_a_part_is_named(
    release: Path,
) -> None:
    with (release / "unused.csv").open(newline="") as file:
        header, first, *rest = list(csv.reader(file))
    face = rows_of(release)[1]
    taken = [face[2], *face[6:10], *first[5:]]
    with (release / "unused.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, taken, *rest[1:]])
    sum_again(release)
    found = lines(release)
    assert any("which is in a part" in line for line in found)
    assert any("1 of " in line and "without a place" in line for line in found)


def test_a_release_of_an_earlier_version_is_checked_as_far_as_it_can_be(
    release: Path,
) -> None:
    for name in ("contents.csv", "SHA256SUMS"):
        (release / name).unlink()
    found = verify(release)
    assert found.faults == ()
    assert "an earlier version wrote it" in found.notes[0]
    train = pictures(release, RECTRAIN_FOLDER)[0]
    test, gone = pictures(release, RECTEST_FOLDER)[:2]
    shutil.copyfile(train, test)
    gone.unlink()
    assert names_of(lines(release)) == {
        test.relative_to(release).as_posix(),
        gone.relative_to(release).as_posix(),
    }


def test_a_release_without_second_versions_of_lists_is_whole_if_it_is_an_earlier_one(
    release: Path,
) -> None:
    later = (
        "detection/icartoonface_dettrain.csv",
        "recognition/without_pairs/icartoonface_rectest_info.txt",
    )
    for name in later:
        (release / name).unlink()
    sum_again(release)
    assert lines(release) == [f"{name}: is missing" for name in later]
    summary = json.loads((release / "release.json").read_text())
    del summary["rule"]  # which came after them
    (release / "release.json").write_text(json.dumps(summary))
    sum_again(release)
    assert lines(release) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "cannot be read: "),
        ('{"formats": [1]}', "cannot be read: its 'formats' is no object"),
        ('{"formats": {"coco": 3}}', "cannot be read: its formats are no names of"),
        ('{"settings": {"filter": []}}', "cannot be read: its 'filter' is no object"),
        ('{"leaks": []}', "cannot be read: its 'leaks' is no object"),
    ],
)
def test_a_summary_of_another_shape_is_a_fault_and_not_the_end(
    release: Path, text: str, said: str
) -> None:
    (release / "release.json").write_text(text)
    assert any(line.startswith(f"release.json: {said}") for line in lines(release))
    with pytest.raises(BadInput, match=r"release\.json is damaged: "):
        read_summary(release)


@pytest.mark.parametrize("text", [None, "[]"])
def test_without_its_summary_a_release_lacks_no_files_that_it_never_had(
    release: Path, text: str | None
) -> None:
    (release / "release.json").unlink()
    if text is not None:
        (release / "release.json").write_text(text)
        sum_again(release)
    (release / "README.md").write_text("edited")
    found = verify(release, quick=True)
    assert {each.file for each in found.faults} == {"release.json", "README.md"}
    assert "only hashes were checked" in found.notes[0]


def test_a_link_to_a_file_is_read_and_counted(release: Path, tmp_path: Path) -> None:
    picture, other = pictures(release, RECTRAIN_FOLDER)[:2]
    picture.rename(tmp_path / "outside.jpg")
    picture.symlink_to(tmp_path / "outside.jpg")
    found = verify(release)
    assert found.faults == ()
    assert any("1 of its files are links" in note for note in found.notes)
    picture.unlink()
    picture.symlink_to(other)
    assert picture.relative_to(release).as_posix() in names_of(lines(release))


def test_pipes_and_links_to_no_file_are_named_and_not_opened(
    release: Path, tmp_path: Path
) -> None:
    picture = pictures(release, RECTRAIN_FOLDER)[0]
    picture.unlink()
    picture.symlink_to(tmp_path)
    os.mkfifo(release / "pipe")
    (release / "nowhere").symlink_to("none")
    (release / "folder").symlink_to(tmp_path, target_is_directory=True)
    names = (picture.relative_to(release).as_posix(), "folder", "nowhere", "pipe")
    meant = sorted(f"{name}: is no plain file" for name in names)
    assert lines(release, quick=False, hub=True) == meant
    assert [str(each) for each in lost_or_changed(release)] == [
        f"{names[0]}: is no plain file"
    ]


def test_many_links_to_nothing_are_counted_once_each(release: Path) -> None:
    gone = pictures(release, RECTRAIN_FOLDER)[:30]
    for picture in gone:
        picture.unlink()
        picture.symlink_to("pruned")
    found = [each.what for each in verify(release, most=2).faults]
    counted = [int(what.split()[0]) for what in found if "more like" in what]
    assert counted
    assert found.count("is no plain file") + sum(counted) == len(gone)


@pytest.mark.parametrize(
    "name", ["SHA256SUMS", "release.json", "contents.csv", "unused.csv", "REVOKED"]
)
def test_what_a_release_says_of_itself_is_read_from_plain_files_alone(
    release: Path, name: str
) -> None:
    (release / name).unlink(missing_ok=True)
    os.mkfifo(release / name)
    found = verify(release)
    assert [str(each) for each in found.faults] == [f"{name}: is no plain file"]
    assert found.notes[0].startswith("nothing else was checked")


def test_pictures_of_other_formats_than_links_must_be_there(
    drawn: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path / "space")
    workspace = find(tmp_path / "space")
    out = tmp_path / "out"
    write(workspace, prepare(workspace, 1, ("relink", "imagefolder")), out, 1)
    workspace.catalogue.close()
    whole = verify(out, quick=True)
    assert whole.faults == ()
    assert "to be downloaded" in whole.notes[0]
    gone = sorted((out / "imagefolder").rglob("*.jpg"))[0]
    gone.unlink()
    sum_again(out)
    assert f"{gone.relative_to(out).as_posix()}: is missing" in lines(out)


def test_a_damaged_or_missing_table_of_crops_is_a_fault(
    drawn: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path / "space")
    workspace = find(tmp_path / "space")
    out = tmp_path / "out"
    write(workspace, prepare(workspace, 1, ("lfw", "insightface")), out, 1)
    workspace.catalogue.close()
    edit(out / "crops.csv", lambda table: table[:200])
    sum_again(out)
    found = [line for line in lines(out) if "crops.csv" in line]
    assert found[0].startswith("crops.csv: line 3: is no row of a crop")
    (out / "crops.csv").unlink()
    sum_again(out)
    assert "crops.csv: is missing" in lines(out)


def test_what_a_takedown_deleted_is_said_and_is_no_fault(release: Path) -> None:
    gone = pictures(release, RECTEST_FOLDER)[0]
    gone.unlink()
    files = [gone.relative_to(release).as_posix()]
    note = [{"files": files, "reason": "asked", "taken_at": 1.0}]
    (release / "taken_down.json").write_text(json.dumps(note))
    found = verify(release, quick=True)
    assert found.faults == ()
    assert "1 files were deleted by a takedown" in found.notes[0]


def test_what_the_hub_does_not_take_is_named(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lines(release, hub=True) == []
    monkeypatch.setattr("icf.dataset.verify.hub.MOST_FILES", 40)
    monkeypatch.setattr("icf.dataset.verify.hub.MOST_IN_FOLDER", 20)
    (release / "a:b.txt").touch()
    sum_again(release)
    found = lines(release, hub=True)
    assert found[0].startswith(".: has ")
    assert "a:b.txt: has a name that not every machine can have" in found
    assert any(line.startswith(f"{RECTEST_FOLDER.as_posix()}: has") for line in found)


def test_another_folder_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="is no release"):
        verify(tmp_path)
