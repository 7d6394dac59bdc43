"""True answers never make one identity of two characters, whatever came before."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.app.demo.people import asked_about
from icf.app.demo.site.truth import Noise, Truth, load_truth
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, image, review
from icf.codes import Choice
from icf.dataset.selecting.select import select
from icf.workspace import Workspace
from tests.app.demo.site_pictures import write_pictures
from tests.app.program import call, said

pytestmark = pytest.mark.slow

CONFIG = """\
[[source]]
name = "mine"
kind = "folder"
path = "pictures"

[filter]
min_face = {}
"""


def test_a_threshold_that_was_lowered_merges_no_two_characters(tmp_path: Path) -> None:
    truth = load_truth()
    space = workspace.init(tmp_path / "space")
    _misfile(space.root / "pictures", truth)
    for min_face, commands in (
        (80, ["harvest run", "filter run"]),
        (30, ["filter rethreshold", "filter run", "filter rethreshold"]),
    ):
        (space.root / "icf.toml").write_text(CONFIG.format(min_face))
        for words in commands:
            assert call("-C", space.root, *words.split()).exit_code in (0, 3)
    batches = _answer_all(space, truth)
    assert batches > 1
    applied = said("-C", space.root, "filter", "review", "--apply")
    assert applied["merges"] == []
    with space.catalogue.read() as connection:
        merged = sa.select(character.c.merged_into)
        assert set(connection.execute(merged).scalars()) == {None}
        same = sa.select(review.c.id).where(
            review.c.kind == "merge", review.c.status == "same"
        )
        assert connection.execute(same).all() == []
        selection = select(connection)
        boxes = {
            row.id: (row.sha256, (row.x1, row.y1, row.x2, row.y2))
            for row in by_ids(
                connection,
                sa.select(
                    face.c.id,
                    image.c.sha256,
                    face.c.x1,
                    face.c.y1,
                    face.c.x2,
                    face.c.y2,
                ).join(image, image.c.id == face.c.image_id),
                face.c.id,
                selection.faces.face.tolist(),
            )
        }
    assert not selection.unasked
    owners = zip(
        selection.faces.face.tolist(), selection.faces.identity.tolist(), strict=True
    )
    for face_id, owner in owners:
        assert truth.who(*boxes[face_id]) == selection.identities[owner].character
    space.catalogue.close()


def _misfile(folder: Path, truth: Truth) -> None:
    """Some characters' pictures; most of those of one are filed under another."""
    cast = [each for each in truth.characters if each.album == truth.albums[0]]
    for number, one in enumerate(cast):
        files = [
            each
            for each in truth.files
            if each.noise is Noise.CLEAN and each.filed_under == (one.name,)
        ]
        under = cast[1].name if number == 0 else one.name
        write_pictures(folder / one.album / under, files)
        write_pictures(folder / one.album / one.name, files[:2])


def _answer_all(space: Workspace, truth: Truth) -> int:
    """Export and answer truly until nothing is left to ask; return the batches."""
    for number in range(1, 9):
        folder = space.root / "batches" / str(number)
        made = said("-C", space.root, "annotate", "export", folder)
        if made["batch"] is None:
            return number - 1
        questions = folder / "questions.csv"
        with questions.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        shown = asked_about(space, [int(row["question"]) for row in rows])
        right = {each.question: each.answer(truth) for each in shown}
        for row in rows:
            said_so = Choice.TRUE if right[int(row["question"])] else Choice.FALSE
            row.update(answer=said_so.value, annotator="true")
        with questions.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        said("-C", space.root, "annotate", "import", questions)
        said("-C", space.root, "filter", "run")
    raise AssertionError("it never ends")
