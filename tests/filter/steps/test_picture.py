from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import decision, face, image
from icf.filter.steps.picture import PictureKept
from tests.core.engine.test_runner import column, runner
from tests.filter.rows import add_album, add_face, add_image, face_row


def settle(catalogue: Catalogue, image_id: int, verdict: str) -> None:
    """Let an image have passed its last step, or have fallen at it."""
    values = {"awaits": None, "verdict": verdict}
    with catalogue.write() as connection:
        connection.execute(
            sa.update(image).where(image.c.id == image_id).values(values)
        )


def test_a_face_goes_the_way_of_its_picture_once_that_is_settled(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    [tom] = add_album(catalogue, "Tom")
    pictures = {name: add_image(catalogue, tom) for name in ("kept", "dropped", "open")}
    faces = {
        name: [add_face(catalogue, image_id, tom, awaits="picture") for _ in range(2)]
        for name, image_id in pictures.items()
    }
    settle(catalogue, pictures["kept"], "kept")
    settle(catalogue, pictures["dropped"], "dropped")
    run = runner(catalogue, tmp_path, step := PictureKept(), batch=1)

    tally = run.run(step)
    assert (tally.passed, dict(tally.dropped)) == (2, {"picture_out": 2})
    for face_id in faces["open"]:
        row = face_row(catalogue, face_id)
        assert (row["awaits"], row["verdict"]) == ("picture", "pending")
    assert run.pending(step) == 2

    settle(catalogue, pictures["open"], "kept")
    assert run.run(step).passed == 2
    judged = column(catalogue, sa.select(decision.c.subject_id))
    assert sorted(judged) == sorted(column(catalogue, sa.select(face.c.id)))
