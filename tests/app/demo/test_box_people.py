from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf import workspace
from icf.app.demo.box_people import MISSES, box_faces
from icf.app.demo.site import load_truth
from icf.catalogue.schema import image
from icf.workspace import Workspace

TRUTH = load_truth()
SHOWN = sorted(TRUTH.by_sha256)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Every picture of the site in a batch of boxes."""
    made = workspace.init(tmp_path_factory.mktemp("boxes") / "space")
    same = {"bytes": 1, "stored_at": 0.0, "verdict": "kept", "reason": "ok"}
    rows = [{"id": n, "sha256": each, **same} for n, each in enumerate(SHOWN, 1)]
    with made.catalogue.write() as connection:
        connection.execute(sa.insert(image), rows)
    images = [
        {"id": n, "file_name": f"{n}.jpg", "width": 4000, "height": 4000}
        for n in range(1, len(SHOWN) + 1)
    ]
    batch = {"images": images, "annotations": [], "categories": []}
    (made.root / "boxes.json").write_text(json.dumps(batch))
    return made


def draw(asked: Workspace, person: str, target: Path) -> dict[str, Any]:
    assert box_faces(asked, asked.root, target, person, seed=1) == len(SHOWN)
    return dict(json.loads(target.read_text()))


def test_people_draw_nearly_the_true_boxes(asked: Workspace, tmp_path: Path) -> None:
    drawn = draw(asked, "one", tmp_path / "one.json")["annotations"]
    faces = [
        (number, each.box)
        for number, sha256 in enumerate(SHOWN, 1)
        for each in TRUTH.by_sha256[sha256][0].faces
        if each.character
    ]
    assert len(drawn) == pytest.approx((1 - MISSES) * len(faces), rel=0.01)
    first = {number: box for number, box in reversed(faces)}
    alone = {n for n in first if sum(n == number for number, _ in faces) == 1}
    error = []
    for each in drawn:
        if each["image_id"] in alone:
            x1, y1, x2, y2 = first[each["image_id"]]
            left, top, _width, height = each["bbox"]
            error.append((left - x1) / (x2 - x1))
            error.append((top + height - y2) / (y2 - y1))
    assert 0.03 < np.std(error) < 0.05


def test_a_picture_without_a_drawn_face_says_so(
    asked: Workspace, tmp_path: Path
) -> None:
    made = draw(asked, "one", tmp_path / "one.json")
    boxed = {each["image_id"] for each in made["annotations"]}
    empty = {each["id"] for each in made["images"] if each.get("no_face")}
    assert boxed | empty == {each["id"] for each in made["images"]}
    assert not boxed & empty


def test_the_same_person_draws_the_same_and_another_one_does_not(
    asked: Workspace, tmp_path: Path
) -> None:
    one, again, other = (
        draw(asked, person, tmp_path / f"{n}.json")
        for n, person in enumerate(("one", "one", "other"))
    )
    assert one == again != other
