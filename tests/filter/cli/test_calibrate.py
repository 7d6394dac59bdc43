"""`icf-filter calibrate` on answers that were made for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf import workspace
from icf.catalogue import calibrations
from icf.catalogue.schema import batch, character, decision, question
from icf.codes import Label
from icf.command import Invocation
from icf.filter.cli.main import cli
from icf.filter.identify.calibration import MIN_ANSWERS
from icf.filter.resources import embedder
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image, face_row

#: What 20 people said of each character's face at a cosine, and how many said "same".
Answers = list[tuple[int, float, int]]


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return workspace.init(tmp_path / "space")


def face(made: Workspace, who: int, cosine: float) -> int:
    model = embedder()
    face_id = add_face(
        made.catalogue,
        add_image(made.catalogue, who),
        who,
        awaits=None,
        verdict="kept",
        embedder=model.model_hash,
        probability=0.5,
    )
    vector = np.zeros((1, model.dim), np.float32)
    vector[0, :2] = cosine, np.sqrt(1 - cosine**2)
    made.vectors.append(model.model_hash, np.array([face_id]), vector)
    return face_id


def answer(made: Workspace, answers: Answers) -> list[int]:
    """Ask about 20 faces of each; return the faces."""
    people = add_album(made.catalogue, *(f"character {n}" for n in range(6)))
    references = [face(made, who, 1.0) for who in people]
    faces = [
        (face(made, people[number], cosine), number, at < same)
        for number, cosine, same in answers
        for at in range(20)
    ]
    with made.catalogue.write() as connection:
        for who, reference in zip(people, references, strict=True):
            one = sa.update(character).where(character.c.id == who)
            connection.execute(one.values(reference_face_id=reference))
        connection.execute(
            sa.insert(batch).values(
                id="b1", format="page", path="b1", questions=1, created_at=0.0
            )
        )
        rows = [
            {
                "face_id": face_id,
                "character_id": people[number],
                "reference_face_id": references[number],
                "batch_id": "b1",
                "label": (Label.SAME if same else Label.DIFFERENT).value,
                "asked_at": 0.0,
            }
            for face_id, number, same in faces
        ]
        if rows:
            connection.execute(sa.insert(question), rows)
    return [face_id for face_id, _, _ in faces]


def run(made: Workspace, *words: str) -> tuple[str, str]:
    done = CliRunner().invoke(
        cli,
        ["calibrate", *words, "-C", str(made.root)],
        obj=Invocation(),
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def in_use(made: Workspace) -> calibrations.Curve | None:
    model = embedder().model_hash
    with made.catalogue.read() as connection:
        return calibrations.newest(connection, [model]).get(model)


def test_too_few_answers_are_reported_and_change_nothing(made: Workspace) -> None:
    answer(made, [(0, 0.9, 20)])
    out, _ = run(made)
    assert out == (
        "not fitted: 20 answers say that a face is the character and 0 that it is not; "
        f"{MIN_ANSWERS} of each are needed\n"
    )
    result = json.loads(run(made, "--json")[0])
    assert (result["adopted"], result["fitted"], result["same"]) == (False, None, 20)
    assert in_use(made) is None


def test_a_curve_that_fits_the_answers_better_is_used(made: Workspace) -> None:
    levels = [(n, 0.45 + n * 0.1, same) for n, same in enumerate([0, 1, 3, 12, 19, 20])]
    answer(made, levels)
    result = json.loads(run(made, "--json")[0])
    assert result["adopted"] is True
    used = in_use(made)
    assert used is not None
    assert used.slope == result["fitted"]["slope"]
    assert used.even == pytest.approx(0.73, abs=0.03)
    assert result["fitted"]["log_loss"] < result["card"]["log_loss"]
    assert result["fitted"]["error"] < result["card"]["error"]


def test_a_curve_that_misleads_about_other_characters_is_refused_with_figures(
    made: Workspace,
) -> None:
    """Half of the characters are always the same and half never: no curve helps."""
    even = embedder().curve.even
    answer(made, [(n, even, 20 * (n % 2)) for n in range(6)])
    out, err = run(made)
    assert "calibration error" in out
    assert err.startswith("not used: its log-loss on held-out answers")
    result = json.loads(run(made, "--json")[0])
    assert result["adopted"] is False
    assert f"{result['fitted']['log_loss']:.4f}" in result["why_not"]
    assert f"{result['card']['log_loss']:.4f}" in result["why_not"]
    assert in_use(made) is None


def test_faces_are_judged_again_only_on_request(made: Workspace) -> None:
    levels = [(n, 0.45 + n * 0.1, same) for n, same in enumerate([0, 1, 3, 12, 19, 20])]
    faces = answer(made, levels)
    run(made)
    assert face_row(made.catalogue, faces[0])["awaits"] is None
    assert "would" in run(made, "--dry-run", "--judge-again")[1]
    assert face_row(made.catalogue, faces[0])["awaits"] is None
    _, err = run(made, "--judge-again")
    assert f"{len(faces) + 6} faces wait for `icf-filter identity`" in err
    assert face_row(made.catalogue, faces[0])["awaits"] == "identity"
    with made.catalogue.read() as connection:
        result = sa.select(decision.c.message).where(decision.c.subject_id == faces[0])
        assert connection.execute(result).scalars().all() == ["the calibration changed"]
