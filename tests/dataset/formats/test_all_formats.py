"""What is common to all formats of a release."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from icf.dataset.cli.build_splits import cli
from icf.dataset.formats import registry
from icf.dataset.formats.registry import OWN, default_formats
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import read_sums
from icf.dataset.release.write import write
from icf.dataset.report.scored.release import last_release
from icf.images.header import orientation_of
from icf.workspace import Workspace
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import FORMATS, Exported, exported

SHARDS = {"webdataset", "parquet", "hf", "insightface"}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_loose_formats_share_their_files_on_the_disk(whole: Exported) -> None:
    places: dict[str, set[int]] = {}
    for row in rows_of(whole.folder / "licences.csv"):
        name = row["file"].partition("/")[0]
        if name not in SHARDS | {"lfw"}:
            file = (whole.folder / row["file"]).stat().st_ino
            places.setdefault(row["sha256"], set()).add(file)
    loose = [
        row
        for row in rows_of(whole.folder / "licences.csv")
        if row["file"].startswith("icartoonface/")
    ]
    # A picture of both sets is two files of iCartoonFace.
    assert sum(map(len, places.values())) == len(loose)


def test_every_picture_of_every_format_has_a_licence(whole: Exported) -> None:
    rows = rows_of(whole.folder / "licences.csv")
    named = {row["file"] for row in rows}
    assert {name.partition("/")[0] for name in named} == {*FORMATS} - {
        "icartoonface-lists"
    }
    pictures = {
        name for name in digest(whole.folder) if name.endswith((".jpg", ".png"))
    }
    shards = {name for name in digest(whole.folder) if name.endswith((".tar", ".rec"))}
    assert pictures | shards <= named
    for row in rows:
        assert bool(row["member"]) is (row["file"].partition("/")[0] in SHARDS)


def test_the_sums_are_right_of_linked_files_and_shards_too(whole: Exported) -> None:
    found = digest(whole.folder)
    del found["SHA256SUMS"]
    assert read_sums(whole.folder) == found


def test_pictures_that_exif_turns_are_listed_as_they_are_stored(
    whole: Exported,
) -> None:
    rows = rows_of(whole.folder / "exif_turned.csv")
    formats = {row["file"].partition("/")[0] for row in rows}
    assert formats == {*FORMATS} - {"icartoonface-lists", "lfw", "insightface"}
    turned = {whole.bytes[row] for row in whole.turned}
    for row in rows:
        content = _content(whole.folder / row["file"], row["member"])
        assert content in turned
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.size == (int(row["width"]), int(row["height"]))
        assert int(row["orientation"]) == orientation_of(content) == 6


def _content(path: Path, member: str) -> bytes:
    if path.suffix == ".parquet":
        pictures = pq.read_table(path)["image"].to_pylist()
        [found] = [each["bytes"] for each in pictures if each["path"] == member]
        return bytes(found)
    if path.suffix == ".tar":
        index = pq.read_table(path.with_suffix(".parquet")).to_pylist()
        [row] = [each for each in index if each["file"] == member]
        return path.read_bytes()[row["offset"] : row["offset"] + row["bytes"]]
    return path.read_bytes()


def test_crops_are_upright_and_not_listed(cropped: Exported) -> None:
    listed = rows_of(cropped.folder / "exif_turned.csv")
    assert listed
    assert not [row for row in listed if "rect" in row["file"] + row["member"]]


def test_the_same_catalogue_gives_the_same_bytes_in_every_format(
    whole: Exported, workspace: Workspace, tmp_path: Path
) -> None:
    again = exported(workspace, tmp_path / "again", None)
    assert digest(again.folder) == digest(whole.folder)


def test_above_many_pictures_shards_are_the_default_and_are_scored(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepare(workspace, 1).folders == {"icartoonface": "."}
    monkeypatch.setattr(registry, "MANY", 50)
    prepared = prepare(workspace, 1)
    assert tuple(prepared.folders) == ("webdataset", "icartoonface-lists")
    out = tmp_path / "out"
    write(workspace, prepared, out, 1)
    assert not list(out.rglob("*.jpg"))
    with workspace.catalogue.read() as connection:
        shown = last_release(connection, workspace)
    assert shown is not None
    assert shown.identification is not None
    assert shown.detection is not None
    named = prepare(workspace, 1, ("icartoonface",))
    assert named.folders == {"icartoonface": "."}


def test_the_default_is_said_in_the_help() -> None:
    shards = ",".join(default_formats(registry.MANY + 1))
    [option] = [each for each in cli.params if each.name == "formats"]
    help_text = getattr(option, "help", "")
    assert f"above {registry.MANY:,} pictures {shards}" in help_text
    assert all(name in help_text for name in OWN)
