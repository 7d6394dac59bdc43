from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf import workspace
from icf.app.demo.score import write_detection_files
from icf.app.demo.site import Noise, TrueFile, load_truth
from icf.catalogue.schema import album, character, face, image, url
from icf.dataset.scores.detection import score_detection
from icf.icartoonface.detection import (
    read_dettest_csv,
    read_submission_csv,
)
from icf.workspace import Workspace

Box = tuple[float, float, float, float]
Found = dict[str, list[tuple[Box, str]]]


def of(noise: Noise) -> list[TrueFile]:
    return [file for file in load_truth().files if file.noise is noise]


def fill(root: Path, found: Found) -> Workspace:
    """A workspace in which these faces were found; pictures by their SHA-256."""
    made = workspace.init(root)
    judged = {"verdict": "kept", "reason": "ok"}
    with made.catalogue.write() as connection:
        said = {"source": "t", "found_at": 0.0}
        connection.execute(sa.insert(album).values(id=1, name="a", **said))
        connection.execute(
            sa.insert(character).values(id=1, album_id=1, name="c", **said)
        )
        for number, (sha256, faces) in enumerate(found.items(), start=1):
            row = {"id": number, "sha256": sha256, "bytes": 1, "stored_at": 0.0}
            connection.execute(sa.insert(image).values(**row, width=9, **judged))
            row = {"url": f"http://a/{number}", "host": "a", "fate": "stored"}
            connection.execute(sa.insert(url).values(**row, image_id=number, **said))
            for (x1, y1, x2, y2), kind in faces:
                row = {"image_id": number, "x1": x1, "y1": y1, "x2": x2, "y2": y2}
                measured = {"sharpness": 0.0, "pixel_hash": "", "phash": 0, "dhash": 0}
                connection.execute(
                    sa.insert(face).values(
                        **row,
                        **measured,
                        **judged,
                        kind=kind,
                        score=0.9,
                        detector="",
                        filed_under_id=1,
                        found_at=0.0,
                    )
                )
    return made


@pytest.fixture
def clean() -> list[TrueFile]:
    return of(Noise.CLEAN)[:4]


def key(file: TrueFile) -> str:
    assert file.sha256 is not None
    return file.sha256


def test_true_boxes_that_were_all_found_score_one(
    clean: list[TrueFile], tmp_path: Path
) -> None:
    made = fill(
        tmp_path, {key(f): [(each.box, "cartoon") for each in f.faces] for f in clean}
    )
    truth, detections = map(Path, write_detection_files(made))
    made.catalogue.close()
    boxes = read_dettest_csv(truth)
    assert boxes.pictures == tuple(f"{key(f)}.jpg" for f in clean)
    assert score_detection(boxes, read_submission_csv(detections)).official == 1.0


def test_a_picture_in_which_nothing_was_found_counts_against_us(
    clean: list[TrueFile], tmp_path: Path
) -> None:
    found: Found = {key(clean[0]): []}
    for file in clean[1:]:
        found[key(file)] = [(each.box, "cartoon") for each in file.faces]
    made = fill(tmp_path, found)
    truth, detections = write_detection_files(made)
    made.catalogue.close()
    score = score_detection(read_dettest_csv(truth), read_submission_csv(detections))
    assert score.pictures == 4
    assert 0 < score.official < 1


def test_pictures_without_drawn_faces_are_in_neither_file(
    clean: list[TrueFile], tmp_path: Path
) -> None:
    others = [of(Noise.FACE_FREE)[0], of(Noise.PHOTOGRAPH)[0]]
    wrong: list[tuple[Box, str]] = [((0.0, 0.0, 50.0, 50.0), "cartoon")]
    human: list[tuple[Box, str]] = [((0.0, 0.0, 50.0, 50.0), "human")]
    made = fill(
        tmp_path,
        {
            **{key(f): wrong for f in others},
            key(clean[0]): [*human, *((e.box, "cartoon") for e in clean[0].faces)],
        },
    )
    truth, detections = write_detection_files(made)
    made.catalogue.close()
    assert read_dettest_csv(truth).pictures == (f"{key(clean[0])}.jpg",)
    found = read_submission_csv(detections)
    np.testing.assert_allclose(found.corners, read_dettest_csv(truth).corners, atol=1)
