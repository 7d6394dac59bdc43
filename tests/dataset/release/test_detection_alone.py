"""A release of detection alone: people verified boxes, and confirmed no face."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa

import icf
from icf.catalogue.annotation.schema import box_task
from icf.dataset.contents import read_contents
from icf.dataset.formats.registry import OF_FACES, OWN
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report.page import write_report
from icf.dataset.scores.recognition.test_set import open_test
from icf.dataset.verify.verify import verify
from icf.errors import BadInput, WrongUse
from icf.workspace import Workspace, find
from tests.app.program import call
from tests.dataset.drawn import DETECTOR, Drawing, Size

BOTH = sorted(OWN.keys() - set(OF_FACES))


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("boxed") / "space"
    size = Size(albums=2, characters=3, faces=6, confirmed=False)
    Drawing(root, size).draw().catalogue.close()
    return root


@pytest.fixture
def workspace(boxed: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Two albums, 36 pictures with verified boxes; nobody confirmed a face."""
    shutil.copytree(boxed, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()


@pytest.fixture
def released(workspace: Workspace, tmp_path: Path) -> Path:
    write(workspace, prepare(workspace, 1), tmp_path / "out", 1)
    return tmp_path / "out"


def run(folder: Path, *words: object) -> str:
    """What a command that ends well prints."""
    done = call("-C", folder, *words)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", BOTH)
def test_every_format_of_boxes_is_written_verified_and_made_again(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    assert write(workspace, prepare(workspace, 1, [name]), out, 1)
    parts = read_contents(out / "contents.csv").part.tolist()
    assert {each: parts.count(each) for each in set(parts)} == {
        "detection_train": 30,
        "detection_test": 6,
    }
    assert verify(out, hub=True).faults == ()
    assert not write(workspace, prepare(workspace, 1, [name]), out, 1)


@pytest.mark.parametrize("name", OF_FACES)
def test_a_format_of_faces_says_that_none_is_confirmed(
    workspace: Workspace, name: str
) -> None:
    with pytest.raises(WrongUse, match=f"{name} would be empty.*no face is confirmed"):
        prepare(workspace, 1, ["coco", name])


def test_the_cards_promise_no_recognition(released: Path) -> None:
    summary = json.loads((released / "release.json").read_text())
    assert [each["sha256"] for each in summary["models"]["detectors"]] == [DETECTOR]
    assert not (released / "recognition").exists()
    card = (released / "README.md").read_text()
    assert "No face of it has the name of its character" in card
    assert "36 pictures with the boxes" in card
    sheet = (released / "datasheet.md").read_text()
    for text in (card, sheet):
        assert "0 probes" not in text
        assert "embedder" not in text
    assert "image-classification" not in card
    assert 'read_parquet("records/detection_train.parquet")' in card


def test_a_shared_picture_is_a_leak(released: Path) -> None:
    checks = json.loads((released / "leaks.json").read_text())["checks"]
    assert {each["name"]: each["count"] for each in checks}["same_bytes"] == 0
    path = released / "contents.csv"
    rows = path.read_text().splitlines()
    parts = [row.split(",")[0] for row in rows]
    first, last = parts.index("detection_train"), parts.index("detection_test")
    theirs, cells = rows[first].split(","), rows[last].split(",")
    rows[last] = ",".join([*cells[:2], *theirs[2:6], *cells[6:]])
    path.write_text("\n".join(rows) + "\n")
    found = [str(each) for each in verify(released, quick=True).faults]
    assert {"same_bytes", "same_pixels", "near_duplicate_pictures"} <= {
        line.split(": ")[1] for line in found
    }


def test_what_was_in_an_earlier_release_stays_where_it_was(
    workspace: Workspace, released: Path, tmp_path: Path
) -> None:
    def parts(folder: Path) -> dict[bytes, str]:
        contents = read_contents(folder / "contents.csv")
        return dict(zip(contents.sha256.tolist(), contents.part.tolist(), strict=True))

    write(workspace, prepare(workspace, 2), tmp_path / "other", 2)
    write(workspace, prepare(workspace, 2, after=released), tmp_path / "next", 2)
    assert parts(tmp_path / "other") != parts(released)
    assert parts(tmp_path / "next") == parts(released)


def test_it_is_scored_by_its_boxes_alone(released: Path) -> None:
    scores = icf.evaluate(released)
    assert scores.identification is None
    assert scores.detection is not None
    assert scores.detection.coco == 1.0
    with pytest.raises(BadInput, match="of confirmed faces"):
        open_test(None, released)


def test_the_report_advises_no_table_that_needs_faces(
    workspace: Workspace, tmp_path: Path
) -> None:
    write(workspace, prepare(workspace, 1), workspace.root / "releases" / "one", 1)
    write_report(workspace, tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text()
    assert "icf bench tables" not in report
    assert "a test of confirmed faces, and releases/one has none" in report


@pytest.mark.slow
def test_every_command_goes_on_with_it(workspace: Workspace, tmp_path: Path) -> None:
    here = workspace.root
    first, following = here / "first", here / "next"
    said = run(here, "build-splits", first, "--format", "icartoonface,coco")
    assert "no face is confirmed as a character" in said
    run(here, "build-splits", following, "--seed", 2, "--after", first)
    assert "whole" in run(here, "release", "verify", first)
    differs = run(here, "release", "diff", first, following, "--json")
    assert json.loads(differs)["pictures"]["same"] == 36
    assert "coco" in run(here, "evaluate", "detection", "--release", first)
    run(here, "report", here / "report.html")
    report = (here / "report.html").read_text()
    assert "No face has the name of its character: the release has detection" in report
    run(here, "report", "compare", first, following, here / "compared.html")
    for what, release in (("coco", first / "coco"), ("icartoonface", following)):
        other = tmp_path / what
        run(here, "init", other)
        run(other, "import", what, release)
        run(other, "build-splits", other / "again")
        counts = json.loads((other / "again/release.json").read_text())["counts"]
        assert counts["detection_train_pictures"] == 30


@pytest.mark.parametrize("left", [0, 1])
def test_too_few_pictures_are_no_test(workspace: Workspace, left: int) -> None:
    some = sa.select(box_task.c.image_id).order_by(box_task.c.image_id).limit(left)
    others = sa.update(box_task).where(box_task.c.image_id.not_in(some))
    with workspace.catalogue.write() as connection:
        connection.execute(others.values(status="open"))
    why = "too few pictures for a test of detection" if left else "no face is confirmed"
    with pytest.raises(WrongUse, match=why):
        prepare(workspace, 1)


def test_proposed_boxes_need_confirmed_faces(workspace: Workspace) -> None:
    with pytest.raises(WrongUse, match="no picture has the boxes that"):
        prepare(workspace, 1, boxes="proposed")


@pytest.fixture(scope="module")
def some_confirmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two albums whose boxes are verified, with too few confirmed faces for a test."""
    root = tmp_path_factory.mktemp("some") / "space"
    size = Size(albums=2, characters=3, faces=3)
    Drawing(root, size).draw().catalogue.close()
    return root


def test_boxes_are_released_alone_where_too_few_faces_are_confirmed(
    some_confirmed: Path, tmp_path: Path
) -> None:
    here = tmp_path / "space"
    shutil.copytree(some_confirmed, here)
    with pytest.raises(WrongUse, match=r"too few faces.*boxes alone.*--detection-only"):
        call("-C", here, "build-splits", here / "first")
    run(here, "build-splits", here / "first", "--detection-only")
    assert verify(here / "first").faults == ()
    counts = json.loads((here / "first" / "release.json").read_text())["counts"]
    assert (counts["identities"], counts["confirmed_faces"]) == (0, 0)
    assert counts["detection_train_pictures"] + counts["detection_test_pictures"] == 18
    assert "is confirmed" not in (here / "first" / "README.md").read_text()
    refused = ("build-splits", here / "other", "--detection-only")
    with pytest.raises(WrongUse, match=r"lfw would be empty.*detection alone is asked"):
        call("-C", here, *refused, "--format", "lfw")


def test_detection_alone_takes_verified_boxes(
    some_confirmed: Path, tmp_path: Path
) -> None:
    shutil.copytree(some_confirmed, tmp_path / "space")
    made = find(tmp_path / "space")
    with made.catalogue.write() as connection:
        connection.execute(sa.update(box_task).values(status="open"))
    kinds: tuple[Literal["verified", "proposed"], ...] = ("verified", "proposed")
    for boxes in kinds:
        with pytest.raises(WrongUse, match="no picture has boxes that people verified"):
            prepare(made, 1, boxes=boxes, detection_only=True)
        with pytest.raises(WrongUse, match="too few faces") as refused:
            prepare(made, 1, boxes=boxes)
        assert "--detection-only" not in str(refused.value)
    made.catalogue.close()
