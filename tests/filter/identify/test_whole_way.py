"""From questions to the faces that nobody was asked about, where the truth is known.

`python -m benchmarks.calibration` does the same with more seeds and larger worlds; its
figures are in docs/filter/identity.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue.schema import character, face, question
from icf.filter.identify.asked_evidence import read_comparable
from icf.filter.resources import chosen_embedder
from tests.filter.identify.simulation import WORLDS, Outcome, make, run_through

pytestmark = pytest.mark.slow


def simulate(folder: Path, name: str, seed: int = 11, albums: int = 20) -> Outcome:
    """Ask 600 questions about 120 faces of each album."""
    world = replace(WORLDS[name], albums=albums)
    return run_through(make(folder / "space", world, seed), [600])


def test_the_true_curve_is_learned_and_holds_for_faces_that_were_not_asked(
    tmp_path: Path,
) -> None:
    simulation = make(tmp_path / "space", WORLDS["base"], seed=11)
    made = run_through(simulation, [600])
    said, after = made.said, made.after
    assert said["adopted"]
    assert said["fitted"]["slope"] == pytest.approx(18, rel=0.25)
    assert after.unasked_error < 0.03
    assert after.false_kept == pytest.approx(after.false_stated, abs=0.03)
    # The answers stand for all faces, and the error that is shown holds for them.
    assert said["represented"] == pytest.approx(len(after.kept))
    assert said["random"] == 180
    assert said["fitted"]["low"] <= after.unasked_error <= said["fitted"]["high"]
    assert said["dropped"]["asked"] == 45
    lost = said["dropped"]["lost"]
    assert lost["low"] <= made.before.dropped_true <= lost["high"]
    # What is fitted is what identity computes.
    query = sa.select(face.c.id, face.c.character_id, face.c.probability).where(
        ~sa.exists().where(question.c.face_id == face.c.id),
        face.c.id.not_in(sa.select(character.c.reference_face_id)),
    )
    space = simulation.workspace
    model = chosen_embedder(space)
    with space.catalogue.read() as connection:
        rows = np.array(connection.execute(query).all())
        found = read_comparable(
            connection,
            model.model_hash,
            rows[:, 0].astype(np.int64),
            rows[:, 1].astype(np.int64),
        )
    evidence = found.evidence(space.vectors, model.model_hash)
    curve = type(model.curve)(said["fitted"]["slope"], said["fitted"]["intercept"])
    assert evidence.probability(curve) == pytest.approx(rows[:, 2], abs=1e-4)


@pytest.mark.parametrize("name", ["unfamiliar style", "whole cast, 80% strangers"])
def test_probabilities_that_were_far_off_become_nearly_right(
    name: str, tmp_path: Path
) -> None:
    made = simulate(tmp_path, name)
    assert made.said["adopted"]
    assert made.said["card"]["low"] > 0.15
    assert made.before.unasked_error > 0.25
    assert made.after.unasked_error < made.before.unasked_error / 2
    assert made.said["fitted"]["low"] <= made.after.unasked_error


def test_true_faces_that_identity_drops_are_counted_and_won_back(
    tmp_path: Path,
) -> None:
    """The reference shows one of three looks: a third of what is dropped is true."""
    made = simulate(tmp_path, "three looks")
    lost = made.said["dropped"]["lost"]
    assert lost["low"] <= made.before.dropped_true <= lost["high"]
    assert lost["low"] > 0.1
    assert made.before.true_lost > 0.08
    assert made.after.true_lost < 0.02


def test_a_wrong_reference_is_suspected(tmp_path: Path) -> None:
    """The answers cannot tell how much it loses: people compare with what it shows."""
    made = simulate(tmp_path, "8% wrong references", albums=10)
    suspected = {name.rsplit(" ", 1)[0] for name in made.said["never_same"]}
    assert suspected
    assert made.before.true_lost > 0.03
