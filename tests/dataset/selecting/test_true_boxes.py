"""The detection set: what people verified, against what the detector found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.annotation.schema import box_task, verified_box
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.scores.detection import score_detection
from icf.icartoonface.detection import read_dettest_csv, read_submission_csv
from icf.icartoonface.release_files import DETTEST_BOXES, DETTEST_FOUND
from icf.workspace import Workspace


def change(workspace: Workspace, statement: sa.Executable) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(statement)


def detection_images(workspace: Workspace, **how: str) -> set[int]:
    plan = prepare(workspace, 1, **how).plan  # type: ignore[arg-type]
    image = plan.selection.pictures.image
    placed = (*plan.detection_train, *plan.detection_test)
    return {int(image[each.picture]) for each in placed}


def test_only_verified_pictures_are_in_the_detection_set(workspace: Workspace) -> None:
    every = detection_images(workspace)
    others = sa.update(box_task).where(box_task.c.image_id % 2 == 1)
    change(workspace, others.values(status="open"))
    left = detection_images(workspace)
    assert left
    assert {each % 2 for each in left} == {0}
    assert len(every) > len(left)
    assert {1} <= {each % 2 for each in detection_images(workspace, boxes="proposed")}


def test_without_a_verified_picture_the_set_is_empty_and_the_command_says_why(
    workspace: Workspace,
) -> None:
    change(workspace, sa.update(box_task).values(status="disputed"))
    program = str(Path(sys.executable).parent / "icf-build-splits")
    done = subprocess.run(
        [program, "out", "--json"],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=True,
    )
    counts = json.loads(done.stdout)["counts"]
    assert counts["detection_train_pictures"] == counts["detection_test_pictures"] == 0
    assert "icf-annotate serve --tasks boxes" in done.stderr
    assert "--boxes proposed" in done.stderr
    summary = json.loads((workspace.root / "out/release.json").read_text())
    assert summary["detection_boxes"] == "verified"
    assert summary["detection_truth"].startswith("People have verified the boxes of no")


def test_a_release_of_proposed_boxes_says_so(workspace: Workspace) -> None:
    summary = json.loads(prepare(workspace, 1, boxes="proposed").summary)
    assert summary["detection_boxes"] == "proposed"
    assert summary["settings"]["dataset"]["boxes"] == "proposed"
    assert "Nobody drew boxes by hand" in summary["detection_truth"]
    verified = json.loads(prepare(workspace, 1).summary)
    assert verified["inputs"] != summary["inputs"]
    assert verified["detection_truth"].startswith("Boxes that people verified")


def test_a_face_that_the_detector_missed_counts_against_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    ids = sa.select(box_task.c.image_id)
    missed = {"x1": 1, "y1": 1, "x2": 20, "y2": 20, "people": 2, "disagreement": 0.1}
    with workspace.catalogue.write() as connection:
        images = list(connection.execute(ids).scalars())
        rows = [{"image_id": each, **missed} for each in images]
        connection.execute(sa.insert(verified_box), rows)
    write(workspace, prepare(workspace, 1), tmp_path / "out", 1)
    truth = read_dettest_csv(tmp_path / "out" / DETTEST_BOXES)
    found = read_submission_csv(tmp_path / "out" / DETTEST_FOUND)
    assert len(truth.corners) > len(found.corners) > 0
    assert score_detection(truth, found).coco < 0.75


def test_what_the_detector_found_and_nobody_drew_counts_against_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    before = score(workspace, tmp_path / "before")
    faces = sa.select(schema.face).where(schema.face.c.reason == "ok")
    with workspace.catalogue.write() as connection:
        rows = [dict(row._mapping) for row in connection.execute(faces)]
        for number, row in enumerate(rows, 10**6):
            row |= {"id": number, "x1": 1.0, "y1": 1.0, "x2": 15.0, "y2": 15.0}
            row |= {"score": 0.95, "verdict": "dropped", "reason": "low_score"}
        connection.execute(sa.insert(schema.face), rows)
    assert before == 1.0
    assert score(workspace, tmp_path / "after") < 0.75


def score(workspace: Workspace, out: Path) -> float:
    write(workspace, prepare(workspace, 1), out, 1)
    truth = read_dettest_csv(out / DETTEST_BOXES)
    return score_detection(truth, read_submission_csv(out / DETTEST_FOUND)).coco


def test_a_verified_picture_without_a_face_is_left_out(workspace: Workspace) -> None:
    change(workspace, sa.delete(verified_box).where(verified_box.c.image_id == 2))
    assert 2 not in detection_images(workspace)


def test_a_verified_picture_needs_no_confirmed_face(workspace: Workspace) -> None:
    query = sa.select(schema.image.c.id).where(
        schema.image.c.id.not_in(sa.select(box_task.c.image_id)),
        schema.image.c.reason == "ok",
    )
    with workspace.catalogue.write() as connection:
        image = connection.execute(query).scalars().first()
        task = {"image_id": image, "hidden": True, "status": "verified", "people": 2}
        connection.execute(sa.insert(box_task).values(**task, asked_at=1, changed_at=1))
        box = {"image_id": image, "x1": 30, "y1": 22, "x2": 130, "y2": 138}
        values = {**box, "people": 2, "disagreement": 0.0}
        connection.execute(sa.insert(verified_box).values(**values))
    assert image in detection_images(workspace)
    assert image not in detection_images(workspace, boxes="proposed")


@pytest.mark.parametrize("boxes", ["verified", "proposed"])
def test_both_kinds_of_boxes_make_the_same_release_again(
    workspace: Workspace, tmp_path: Path, boxes: str
) -> None:
    first = prepare(workspace, 1, boxes=boxes)  # type: ignore[arg-type]
    assert write(workspace, first, tmp_path / "out", 1)
    again = prepare(workspace, 1, boxes=boxes)  # type: ignore[arg-type]
    assert not write(workspace, again, tmp_path / "out", 1)
