from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pytest
from etils import epath  # type: ignore[import-untyped,unused-ignore]

from icf.dataset.cards.croissant import CONFORMS_TO, File, croissant
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.icartoonface.detection import read_dettest_csv, read_dettrain_csv
from icf.icartoonface.recognition import read_rectest_info, read_rectrain_det
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.workspace import find
from tests.dataset.cards.conftest import STATED, Released

#: The reader uses rdflib and pandas in ways that these will not have for ever.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]

Row = dict[str, Any]


@pytest.fixture(scope="module")
def dataset(released: Released) -> Any:
    return mlcroissant.Dataset(released.folder / "croissant.json")


def records(dataset: Any, name: str) -> Iterator[Row]:
    """The records of a set, with plain values under plain names."""
    for record in dataset.records(name):
        yield {
            key.rpartition("/")[2]: value.decode()
            if isinstance(value, bytes)
            else value
            for key, value in record.items()
        }


def boxes(rows: list[Row]) -> list[list[int]]:
    return [[int(row[name]) for name in ("x1", "y1", "x2", "y2")] for row in rows]


def test_the_reader_of_the_standard_finds_no_error_and_nothing_to_warn_of(
    released: Released, caplog: pytest.LogCaptureFixture
) -> None:
    opened = mlcroissant.Dataset(released.folder / "croissant.json")
    issues = opened.metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())
    assert [each for each in caplog.records if each.levelname == "WARNING"] == []
    assert opened.metadata.conforms_to == list(CONFORMS_TO)
    assert opened.metadata.name == "Drawn faces"
    assert [each.name for each in opened.metadata.creators] == [
        "Ann Drawer",
        "Bob Painter",
    ]


def test_every_responsible_ai_field_is_filled_and_understood(dataset: Any) -> None:
    found = dataset.metadata
    for name in (
        *("data_collection", "data_collection_type", "data_collection_missing_data"),
        *("data_collection_timeframe", "data_preprocessing_protocol"),
        *("data_annotation_protocol", "data_annotation_platform"),
        *("data_annotation_analysis", "annotations_per_item"),
        *("annotator_demographics", "machine_annotation_tools", "data_biases"),
        *("data_use_cases", "data_limitations", "data_social_impact"),
        *("personal_sensitive_information", "data_release_maintenance_plan"),
    ):
        assert getattr(found, name), name
    assert "272 answers of 2 people" in found.annotations_per_item
    assert found.data_use_cases == ["Research on drawings."]
    assert found.data_social_impact == "Not stated by those who made it."


def test_the_records_of_recognition_are_those_of_the_lists(
    released: Released, dataset: Any
) -> None:
    train = read_rectrain_det(released.folder / RECTRAIN_LIST)
    rows = list(records(dataset, "recognition_train"))
    expected = [(RECTRAIN_FOLDER / path).as_posix() for path in train.paths]
    assert [row["file"] for row in rows] == expected
    np.testing.assert_array_equal(boxes(rows), train.boxes)
    test = read_rectest_info(released.folder / RECTEST_INFO)
    rows = list(records(dataset, "recognition_test"))
    expected = [(RECTEST_FOLDER / path).as_posix() for path in test.files]
    assert [row["file"] for row in rows] == expected
    assert [row["label"] for row in rows] == test.labels.tolist()
    np.testing.assert_array_equal(boxes(rows), test.boxes)


def test_the_records_of_detection_are_those_of_the_lists(
    released: Released, dataset: Any
) -> None:
    for name, folder, listed in (
        (
            "detection_train",
            DETTRAIN_FOLDER,
            read_dettrain_csv(released.folder / DETTRAIN_BOXES),
        ),
        (
            "detection_test",
            DETTEST_FOLDER,
            read_dettest_csv(released.folder / DETTEST_BOXES),
        ),
    ):
        rows = list(records(dataset, name))
        expected = [
            (folder / listed.pictures[each]).as_posix() for each in listed.picture
        ]
        assert [row["file"] for row in rows] == expected
        np.testing.assert_array_equal(boxes(rows), listed.corners)


def test_identities_have_the_role_that_their_faces_have(dataset: Any) -> None:
    roles: dict[int, set[str]] = {}
    for name in ("recognition_train", "recognition_test"):
        for row in records(dataset, name):
            roles.setdefault(int(row["label"]), set()).add(row["role"])
    shown = {int(row["label"]): {row["role"]} for row in records(dataset, "identities")}
    assert roles == shown
    assert set().union(*roles.values()) == {"train", "seen", "unseen", "distractor"}


def test_every_picture_is_a_record_with_its_pixels(
    released: Released, dataset: Any
) -> None:
    found = {row["file"]: row["image"] for row in records(dataset, "picture_files")}
    pictures = {
        path.relative_to(released.folder).as_posix()
        for path in released.folder.rglob("*.jpg")
    }
    assert found.keys() == pictures
    assert {image.size for image in found.values()} == {(160, 160), (320, 160)}


# The reader leaves files open, and unpacks as Python 3.12 would rather not.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:Python 3.14 will:DeprecationWarning")
def test_pictures_in_shards_are_records_with_their_pixels(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is unpacked is kept under the shard's name, whatever release it is of.
    place = "mlcroissant._src.operation_graph.operations.extract.EXTRACT_PATH"
    monkeypatch.setattr(place, epath.Path(tmp_path / "unpacked"))
    shutil.copytree(drawn, tmp_path / "space")
    workspace = find(tmp_path / "space", STATED)
    formats = ("webdataset", "icartoonface-lists")
    write(workspace, prepare(workspace, 1, formats), tmp_path / "out", 1)
    workspace.catalogue.close()
    opened = mlcroissant.Dataset(tmp_path / "out" / "croissant.json")
    assert opened.metadata.ctx.issues.errors == set()
    for table in ("recognition_test", "detection_train"):
        members = {row["member"] for row in records(opened, table)}
        found = {
            row["member"]: row["image"] for row in records(opened, f"{table}_shards")
        }
        assert found.keys() == members
        assert {image.size for image in found.values()} <= {(160, 160), (320, 160)}


def test_every_described_file_has_the_hash_that_is_said(released: Released) -> None:
    described = json.loads((released.folder / "croissant.json").read_text())
    files = [x for x in described["distribution"] if x["@type"] == "cr:FileObject"]
    assert {"contents.csv", "release.json", "README.md"} <= {x["@id"] for x in files}
    for each in files:
        data = (released.folder / each["contentUrl"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == each["sha256"]
        assert each["contentSize"] == f"{len(data)} B"


def test_a_changed_table_is_refused_by_the_reader(
    released: Released, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(released.folder, copy)
    table = copy / "records" / "identities.parquet"
    table.write_bytes(table.read_bytes() + b"\0")
    opened = mlcroissant.Dataset(copy / "croissant.json")
    with pytest.raises(Exception, match=r"Download\(records/identities"):
        list(opened.records("identities"))


def test_many_files_of_a_kind_in_a_folder_are_one_set(released: Released) -> None:
    files = [File(f"labels/{number}.txt", "0" * 64, 1) for number in range(51)]
    files += [File("a.md", "1" * 64, 2)]
    made = croissant(released.prepared.about, files, [], {})["distribution"]
    assert [each["@id"] for each in made] == ["labels/*.txt", "a.md"]
    assert made[0]["includes"] == "labels/*.txt"
    assert made[0]["encodingFormat"] == "text/plain"
