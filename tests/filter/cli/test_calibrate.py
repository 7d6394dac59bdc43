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
from icf.catalogue.schema import answer as answer_table
from icf.catalogue.schema import batch, character, decision, question
from icf.codes import Label
from icf.command import Invocation
from icf.filter.cli.main import cli
from icf.filter.identify.calibration import MIN_ANSWERS
from icf.filter.identify.recalibrate import recalibrate
from icf.filter.resources import embedder
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image, face_row

#: What 20 people said of each character's face at a cosine, and how many said "same";
#: for -1 the faces are of all characters.
Answers = list[tuple[int, float, int]]

#: Answers that a curve explains, about all characters alike.
LEVELS: Answers = [
    (-1, 0.45 + n * 0.1, same) for n, same in enumerate([0, 1, 3, 12, 19, 20])
]


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
    # Faces have nothing in common but what they have with the reference.
    rest = np.random.default_rng(face_id).normal(size=model.dim - 1)
    rest *= np.sqrt(1 - cosine**2) / np.linalg.norm(rest)
    vector = np.array([[cosine, *rest]], np.float32)
    made.vectors.append(model.model_hash, np.array([face_id]), vector)
    return face_id


def answer(made: Workspace, answers: Answers) -> list[int]:
    """Ask about 20 faces of each; return the faces."""
    people = add_album(made.catalogue, *(f"character {n}" for n in range(6)))
    references = [face(made, who, 1.0) for who in people]
    faces = [
        (face(made, people[who], cosine), who, at < same)
        for number, cosine, same in answers
        for at in range(20)
        for who in [number if number >= 0 else at % 6]
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
    answer(made, LEVELS)
    result = json.loads(run(made, "--json")[0])
    assert result["adopted"] is True
    used = in_use(made)
    assert used is not None
    assert used.slope == result["fitted"]["slope"]
    assert used.even == pytest.approx(0.7, abs=0.04)
    assert result["fitted"]["log_loss"] < result["card"]["log_loss"]
    assert result["fitted"]["error"] < result["card"]["error"]


def test_a_curve_that_is_no_better_is_refused_with_figures(made: Workspace) -> None:
    """People answer as the card says; the confirmed faces halve the odds."""
    curve, levels = embedder().curve, np.linspace(0.35, 0.75, 6)
    odds = np.exp(curve.log_odds(levels)) / 2
    same = np.round(20 * odds / (1 + odds)).astype(int)
    answer(made, [(-1, *each) for each in zip(levels, same.tolist(), strict=True)])
    out, err = run(made)
    assert "calibration error" in out
    result = json.loads(run(made, "--json")[0])
    assert result["adopted"] is False
    gain = result["gain"]
    assert result["why_not"] == (
        "not used: on held-out answers its log-loss is lower than the card's by "
        f"{gain['value']:.4f} ({gain['low']:.4f} to {gain['high']:.4f}); the 90% "
        "interval must be above 0"
    )
    assert err.splitlines() == [
        "wrong answers: 3.0% (0.4% to 10.5%), assumed, because no question was "
        "answered by several people",
        "120 answers, 0 of them drawn at random, stand for 120 faces",
        result["why_not"],
    ]
    # The card's was held against the answers, and is used as before.
    assert result["checked"] is True
    assert in_use(made) == curve


def test_faces_are_judged_again_only_on_request(made: Workspace) -> None:
    faces = answer(made, LEVELS)
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


def test_answers_that_represent_no_other_faces_change_nothing(made: Workspace) -> None:
    """An earlier version asked about the most uncertain faces; others are left."""
    faces = answer(made, LEVELS)
    face(made, face_row(made.catalogue, faces[0])["character_id"], 0.8)
    result = json.loads(run(made, "--json")[0])
    assert (result["adopted"], result["represented"]) == (False, None)
    assert "none of the answered batches has a random part" in result["why_not"]
    assert in_use(made) is None
    # One more batch with a random part, and they count for what they are.
    chosen(made, faces[-30:], inclusion=0.1)
    result = json.loads(run(made, "--json")[0])
    assert result["represented"] == pytest.approx(90 + 300)
    assert (result["random"], result["adopted"]) == (30, True)


def test_a_few_faces_drawn_at_random_are_too_few(made: Workspace) -> None:
    chosen(made, answer(made, LEVELS)[-8:], inclusion=0.05)
    result = json.loads(run(made, "--json")[0])
    assert result["why_not"] == (
        "not used: 8 answers are about faces drawn at random, and 20 are needed; "
        "answer one more batch of `icf-annotate export`"
    )


@pytest.mark.parametrize("random", [0, 8])
def test_answers_that_do_not_suffice_are_not_fitted(
    made: Workspace, random: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 100,000 faces a fit takes minutes."""
    faces = answer(made, LEVELS)
    face(made, face_row(made.catalogue, faces[0])["character_id"], 0.8)
    if random:
        chosen(made, faces[-random:], inclusion=0.05)
    monkeypatch.setattr("icf.filter.identify.recalibrate.calibrate", no_fit)
    out, _ = run(made, "--dry-run")
    assert out.startswith("not used: ")


def test_more_answers_than_fit_in_memory_are_drawn_from(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = "icf.filter.identify.answer_sample.MAX_TERMS"
    chosen(made, answer(made, LEVELS)[-30:], inclusion=0.1)
    whole, notes = run(made, "--dry-run", "--json")
    # Each of the six characters has a reference and eight confirmed faces.
    monkeypatch.setattr(limit, 120 * 6 * 9)
    assert run(made, "--dry-run", "--json") == (whole, notes)
    monkeypatch.setattr(limit, 80 * 6 * 9)
    out, err = run(made, "--dry-run", "--json")
    assert "compared on 80 of 120 answers, drawn at random" in err
    part, all_of_it = json.loads(out), json.loads(whole)
    for name in ("same", "different", "random", "represented", "never_same"):
        assert part[name] == all_of_it[name]
    assert part["adopted"] == all_of_it["adopted"]
    assert part["fitted"]["slope"] == pytest.approx(
        all_of_it["fitted"]["slope"], rel=0.2
    )


def test_too_few_that_fit_in_memory_are_not_fitted(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = "icf.filter.identify.answer_sample.MAX_TERMS"
    chosen(made, answer(made, LEVELS)[-30:], inclusion=0.1)
    monkeypatch.setattr(limit, 30 * 6 * 9)
    monkeypatch.setattr("icf.filter.identify.recalibrate.calibrate", no_fit)
    out, _ = run(made, "--dry-run")
    assert out.startswith("not fitted: of 120 answers 30 fit in memory; ")
    assert "20 of each are needed" in out


def test_what_was_fitted_to_the_same_answers_is_used_again(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = answer(made, LEVELS)
    first = recalibrate(made)
    with monkeypatch.context() as patched:
        patched.setattr("icf.filter.identify.recalibrate.calibrate", no_fit)
        assert recalibrate(made, dry_run=True, earlier=first).made == first.made
    with made.catalogue.write() as connection:
        another = sa.update(question).where(question.c.face_id == faces[0])
        connection.execute(another.values(label=Label.SAME.value))
    assert recalibrate(made, dry_run=True, earlier=first).made != first.made


def no_fit(*_: object) -> None:
    raise AssertionError("fitted")


def test_faces_that_were_dropped_wrongly_are_counted(made: Workspace) -> None:
    faces = answer(made, LEVELS)
    chosen(made, faces[50:80], inclusion=0.1, how="dropped")
    _, err = run(made, "--dry-run")
    assert (
        "of 30 faces drawn from those that identity dropped, 12 are the character: "
        "39.4% (" in err
    )
    lost = json.loads(run(made, "--json")[0])["dropped"]["lost"]
    assert 0.2 < lost["low"] < 0.4 < lost["high"] < 0.6


def test_several_peoples_answers_tell_how_often_they_err(made: Workspace) -> None:
    answer(made, LEVELS)
    with made.catalogue.write() as connection:
        ids = list(connection.execute(sa.select(question.c.id)).scalars())
        given = {"answered_at": None, "imported_at": 0.0, "file": "a", "line": 1}
        rows = [
            {"question_id": key, "annotator": who, "choice": choice, **given}
            for at, key in enumerate(ids)
            for who, choice in (("ann", "true"), ("bob", "true" if at % 5 else "false"))
        ]
        connection.execute(sa.insert(answer_table), rows)
    result = json.loads(run(made, "--json")[0])
    error = result["answer_error"]
    assert error["repeated"] == len(ids)
    # They disagree about a fifth: 2 e (1 - e).
    assert error["rate"] == pytest.approx(0.113, abs=0.02)
    assert error["low"] < 0.113 < error["high"]


def chosen(
    made: Workspace, faces: list[int], inclusion: float, how: str = "random"
) -> None:
    """Mark the questions about some faces as a batch's random part."""
    with made.catalogue.write() as connection:
        later = {"id": "b2", "format": "page", "path": "b2", "questions": 1}
        connection.execute(sa.insert(batch).values(**later, created_at=1.0))
        about = sa.update(question).where(question.c.face_id.in_(faces))
        connection.execute(
            about.values(
                chosen=how, inclusion=inclusion, probability=0.5, batch_id="b2"
            )
        )


def test_a_character_that_no_answer_confirms_is_named(made: Workspace) -> None:
    answer(made, [*LEVELS, (2, 0.5, 0)])
    with made.catalogue.write() as connection:
        name = sa.update(character).where(character.c.name == "character 2")
        connection.execute(name.values(name="Ann"))
        connection.execute(
            sa.update(question)
            .where(question.c.character_id == character.c.id, character.c.name == "Ann")
            .values(label=Label.DIFFERENT.value)
        )
    _, err = run(made, "--dry-run")
    [name] = json.loads(run(made, "--dry-run", "--json")[0])["never_same"]
    assert name.endswith("/Ann")
    assert f"no answer confirms {name}: check the reference" in err
