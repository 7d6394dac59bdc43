"""The gate of detectors, from a catalogue to a verdict."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.rounds.audit_set import set_verified_aside
from icf.catalogue.schema import audit_item, face, image, question
from icf.codes import BoxStatus, FaceReason, ImageReason
from icf.models.gate.audit_pictures import AuditPicture, read_audit_pictures
from icf.models.gate.average_precision import FoundFaces, TrueFaces
from icf.models.gate.detectors import LEAST_ALBUMS, compare_detectors
from icf.models.gate.promote import Refused, promote
from icf.models.gate.run import compare, run_gate
from icf.models.registry.resolve import model_path
from icf.models.trained_on import PICTURES as IDS
from icf.models.trained_on import PICTURES_BEFORE, picture_id
from icf.settings import GateSettings
from icf.workspace import Workspace
from icf.workspace import find as open_workspace
from tests.models.gate.toy import (
    confirmed_face,
    crown,
    hash_of,
    insert,
    painted_workspace,
)
from tests.models.onnx_files import colour_detector

PICTURES = 45


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gate") / "space"
    painted_workspace(root, PICTURES).catalogue.close()
    return root


@pytest.fixture
def made(drawn: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(drawn, tmp_path / "space")
    made = open_workspace(tmp_path / "space")
    yield made
    made.catalogue.close()


def eyes(tmp_path: Path) -> Path:
    """A detector that finds every face."""
    return colour_detector(tmp_path / "eyes.onnx")


def blurred(tmp_path: Path) -> Path:
    """One that sees pictures reduced: its boxes are too large."""
    return colour_detector(tmp_path / "blurred.onnx", bias=0, side=192.0)


def test_a_worse_detector_is_refused(made: Workspace, tmp_path: Path) -> None:
    crown(made, "detector", eyes(tmp_path))
    with pytest.raises(Refused, match=r"it is worse: average precision at IoU 0\.5"):
        promote(made, "detector", blurred(tmp_path))
    assert model_path(made, "detector").name.startswith("eyes-")


def test_a_better_detector_is_promoted(made: Workspace, tmp_path: Path) -> None:
    crown(made, "detector", blurred(tmp_path))
    done = promote(made, "detector", eyes(tmp_path))
    report = done.gate.report
    assert report.figures["challenger"] == {"ap50": 1.0}
    assert report.compared["audit pictures"] == PICTURES
    assert report.compared["faces"] == 90
    assert report.compared["pictures to draw"] == PICTURES
    assert report.difference is not None
    assert report.difference > 0.5
    assert model_path(made, "detector").name.startswith("eyes-")


def test_it_says_whose_boxes_the_truth_is_made_of(
    made: Workspace, tmp_path: Path
) -> None:
    sha256 = crown(made, "detector", eyes(tmp_path))
    with made.catalogue.write() as connection:
        some = face.c.id <= 10
        connection.execute(sa.update(face).where(some).values(detector=sha256))
    report = run_gate(made, "detector", blurred(tmp_path)).report
    assert "the champion" in report.notes[0]
    assert "model dddddddddddd" in report.notes[0]
    assert "confirmed by people" in report.notes[0]


def test_one_that_finds_nothing_or_no_numbers_is_not_usable(
    made: Workspace, tmp_path: Path
) -> None:
    champion = eyes(tmp_path)
    blind = colour_detector(tmp_path / "blind.onnx", bias=-200)
    report = compare(made, "detector", champion, blind)
    assert not report.usable
    assert "finds no face on any of 32 pictures" in report.reasons[0]
    sick = colour_detector(tmp_path / "sick.onnx", bias=math.nan)
    assert not compare(made, "detector", champion, sick).usable


def test_a_swapped_file_is_not_usable(made: Workspace, tmp_path: Path) -> None:
    champion, other = eyes(tmp_path), blurred(tmp_path)
    shutil.copy(champion, other)
    report = compare(made, "detector", champion, other)
    assert not report.usable
    assert "its card promises" in report.reasons[0]


def test_too_few_pictures_are_said(made: Workspace, tmp_path: Path) -> None:
    with made.catalogue.write() as connection:
        connection.execute(sa.delete(audit_item).where(audit_item.c.subject_id > 12))
    report = compare(made, "detector", blurred(tmp_path), eyes(tmp_path))
    assert not report.promoted
    assert (
        "confirmed every face of 12 audit pictures, and gate.min_pictures is 40"
        in (report.reasons[0])
    )
    assert "icf round run" in report.reasons[0]


def test_pictures_that_are_lost_are_left_out(made: Workspace, tmp_path: Path) -> None:
    with made.catalogue.read() as connection:
        first, *_ = read_audit_pictures(connection)
    made.blobs.remove(first.sha256)
    report = compare(made, "detector", blurred(tmp_path), eyes(tmp_path))
    assert report.promoted
    assert report.compared["audit pictures"] == PICTURES - 1
    assert "1 audit pictures were left out: they are lost" in report.notes


def knowing(weights: Path, hashes: Sequence[str], before: Sequence[str] = ()) -> Path:
    """Say next to a model on which pictures it was trained."""
    tensors = {
        name: np.array([picture_id(each) for each in those], np.int64)
        for name, those in ((IDS, hashes), (PICTURES_BEFORE, before))
    }
    safetensors.numpy.save_file(tensors, weights.with_suffix(".safetensors"))
    return weights


def test_pictures_that_the_challenger_was_trained_on_are_left_out(
    made: Workspace, tmp_path: Path
) -> None:
    with made.catalogue.read() as connection:
        hashes = [each.sha256 for each in read_audit_pictures(connection)]
    weak = blurred(tmp_path)
    report = compare(made, "detector", weak, knowing(eyes(tmp_path), hashes[:3]))
    assert report.promoted
    assert report.compared["audit pictures"] == PICTURES - 3
    assert "3 audit pictures are left out: the challenger, or" in report.notes[0]
    report = compare(made, "detector", weak, knowing(eyes(tmp_path), (), hashes[:9]))
    assert not report.promoted
    assert "9 audit pictures are left out" in report.reasons[0]
    # What the one before it knew is no advantage where the champion knows it, too.
    knowing(weak, hashes[:9])
    report = compare(made, "detector", weak, eyes(tmp_path))
    assert report.compared["audit pictures"] == PICTURES
    assert "champion was trained on 9 of the audit pictures" in report.notes[0]


def audited(made: Workspace) -> dict[int, AuditPicture]:
    """The audit pictures, by their ids."""
    with made.catalogue.read() as connection:
        found = {each.sha256: each for each in read_audit_pictures(connection)}
        query = sa.select(image.c.sha256, image.c.id)
        ids = dict(connection.execute(query).all())
    return {ids[sha256]: each for sha256, each in found.items()}


def test_only_pictures_count_whose_every_face_was_confirmed(made: Workspace) -> None:
    assert sorted(audited(made)) == list(range(1, PICTURES + 1))
    with made.catalogue.write() as connection:
        unasked = sa.select(sa.func.min(face.c.id)).where(face.c.image_id == 2)
        connection.execute(
            sa.delete(question).where(question.c.face_id == unasked.scalar_subquery())
        )
        gone = ImageReason.TAKEN_DOWN.value
        connection.execute(sa.update(image).where(image.c.id == 3).values(reason=gone))
        connection.execute(sa.delete(question).where(question.c.face_id == 1))
        connection.execute(
            sa.update(face)
            .where(face.c.id == 1)
            .values(reason=FaceReason.NOT_A_FACE.value)
        )
    # The one face of picture 1 is none, and nobody looked for others.
    assert sorted(audited(made)) == list(range(4, PICTURES + 1))


def test_unlikely_and_photographed_faces_are_neither_faces_nor_background(
    made: Workspace,
) -> None:
    low = FaceReason.LOW_SCORE.value
    with made.catalogue.write() as connection:
        unsure = confirmed_face(connection, 1, 1, (200, 4, 220, 24), reason=low)
        person = confirmed_face(connection, 1, 1, (240, 4, 260, 24), kind="human")
        connection.execute(
            sa.delete(question).where(question.c.face_id.in_([unsure, person]))
        )
    found = audited(made)[1].faces
    assert found.boxes.shape == (1, 4)
    assert found.ignored.tolist() == [[200, 4, 220, 24], [240, 4, 260, 24]]


def test_pictures_of_audit_characters_count_too(made: Workspace) -> None:
    with made.catalogue.write() as connection:
        connection.execute(sa.delete(audit_item))
        row = {"kind": "character", "subject_id": 2, "set_aside_at": 1.0}
        connection.execute(sa.insert(audit_item).values(row))
    assert {each.album for each in audited(made).values()} == {"Album 1"}
    assert len(audited(made)) == PICTURES // 3


def verify_boxes(
    connection: sa.Connection, picture: int, *boxes: tuple[int, int, int, int]
) -> None:
    """People agree on the boxes of a picture."""
    given = {"hidden": False, "status": BoxStatus.VERIFIED.value, "people": 2}
    insert(
        connection, box_task, image_id=picture, asked_at=1.0, changed_at=1.0, **given
    )
    for x1, y1, x2, y2 in boxes:
        corners = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        about = {"image_id": picture, "people": 2, "disagreement": 0.0}
        insert(connection, verified_box, **corners, **about)


def test_boxes_that_people_verified_are_the_truth(
    made: Workspace, tmp_path: Path
) -> None:
    low = FaceReason.LOW_SCORE.value
    with made.catalogue.write() as connection:
        connection.execute(sa.delete(question).where(question.c.face_id <= 6))
        confirmed_face(connection, 2, 1, (200, 4, 220, 24), reason=low)
        confirmed_face(connection, 2, 1, (240, 4, 260, 24), kind="human")
        verify_boxes(connection, 1)
        verify_boxes(connection, 2, (1, 2, 30, 40), (50, 2, 90, 40))
    found = audited(made)
    # On picture 1 people agree that there is none; nobody confirmed the faces of 3.
    assert found[1].faces.boxes.shape == (0, 4)
    assert found[2].faces.boxes.tolist() == [[1, 2, 30, 40], [50, 2, 90, 40]]
    # What the detector was not sure of is background; people are not asked about this.
    assert found[2].faces.ignored.tolist() == [[240, 4, 260, 24]]
    assert not found[2].detectors
    assert 3 not in found
    report = run_gate(made, "detector", blurred(tmp_path)).report
    assert report.notes[0] == "people verified the boxes of 2 audit pictures"
    assert "the true boxes of the other 42 were found by" in report.notes[1]


def test_pictures_with_boxes_alone_are_set_aside_and_compared(
    made: Workspace, tmp_path: Path
) -> None:
    with made.catalogue.write() as connection:
        boxes = dict[int, list[tuple[int, int, int, int]]]()
        for row in connection.execute(sa.select(face)):
            boxes.setdefault(row.image_id, []).append((row.x1, row.y1, row.x2, row.y2))
        connection.execute(sa.delete(question))
        connection.execute(sa.delete(audit_item))
        for picture in range(1, PICTURES + 1):
            verify_boxes(connection, picture, *boxes[picture])
        few = set_verified_aside(connection, 0.5, seed=0)
        more = set_verified_aside(connection, 1.0, seed=0)
        again = set_verified_aside(connection, 1.0, seed=0)
    assert 10 < few.images == few.added < 35
    assert (more.images, more.added) == (PICTURES, PICTURES - few.images)
    assert (again.images, again.added) == (PICTURES, 0)
    report = compare(made, "detector", blurred(tmp_path), eyes(tmp_path))
    assert report.promoted
    assert report.figures["challenger"] == {"ap50": 1.0}
    assert report.compared["audit pictures"] == PICTURES


def pictures(albums: int, each: int) -> list[AuditPicture]:
    box = np.array([[0, 0, 10, 10]], np.float32)
    truth = TrueFaces(box, np.zeros((0, 4), np.float32))
    return [
        AuditPicture(f"{album}-{n}", truth, f"{album}", album * each + n, frozenset())
        for album in range(albums)
        for n in range(each)
    ]


def test_albums_are_drawn_where_there_are_enough_of_them() -> None:
    random = np.random.default_rng(0)
    nothing = FoundFaces(np.zeros((0, 4), np.float32), np.zeros(0))
    some = FoundFaces(np.array([[0, 0, 10, 10]], np.float32), np.array([0.9]))
    settings = GateSettings()
    for albums in (LEAST_ALBUMS - 1, LEAST_ALBUMS):
        shown = pictures(albums, 10)
        # A whole album is found or not: its pictures say the same.
        hard = random.random(albums) < 0.5
        theirs = [nothing if hard[n // 10] else some for n in range(len(shown))]
        found = compare_detectors(shown, theirs, [some] * len(shown), settings)
        drawn = "albums" if albums == LEAST_ALBUMS else "pictures"
        assert found.drawn == drawn
        assert found.difference.clusters == (
            albums if drawn == "albums" else 10 * albums
        )
    assert found.challenger == 1.0


def test_the_same_detector_under_another_hash_is_promoted(
    made: Workspace, tmp_path: Path
) -> None:
    one = eyes(tmp_path)
    (tmp_path / "more").mkdir()
    other = colour_detector(tmp_path / "more" / "eyes.onnx", bias=-19.99)
    assert hash_of(one) != hash_of(other)
    report = compare(made, "detector", one, other)
    assert (report.difference, report.promoted) == (0.0, True)
