from __future__ import annotations

import time

import sqlalchemy as sa

from icf.annotate.priors import read_priors
from icf.catalogue.schema import audit_item, question
from icf.codes import Chosen
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.posterior.answers import calibrate


def priors(place: Place, ids: list[int]) -> dict[int, float]:
    with place.workspace.catalogue.read() as connection:
        return read_priors(connection, ids)


def choose_all_as(place: Place, chosen: Chosen) -> None:
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(chosen=chosen.value))


def test_a_probability_counts_once_answers_taught_the_model(place: Place) -> None:
    catalogue = place.workspace.catalogue
    run_id = place.workspace.begin_run("test")
    ids = ask_about(place, 3, 0.7)
    choose_all_as(place, Chosen.UNCERTAIN)
    assert priors(place, ids) == {}
    # What was asked before the model was calibrated had its probability by no answers.
    calibrate(catalogue, run_id, time.time() + 60)
    assert priors(place, ids) == {}
    calibrate(catalogue, run_id)
    assert priors(place, ids) == dict.fromkeys(ids, 0.7)


def test_what_measures_the_model_is_not_answered_by_it(place: Place) -> None:
    calibrate(place.workspace.catalogue, place.workspace.begin_run("test"))
    ids = ask_about(place, 3, 0.7)
    for chosen in (Chosen.RANDOM, Chosen.DROPPED):
        choose_all_as(place, chosen)
        assert priors(place, ids) == {}
    choose_all_as(place, Chosen.UNCERTAIN)
    with place.workspace.catalogue.write() as connection:
        query = sa.select(question.c.character_id).limit(1)
        row = {
            "kind": "character",
            "subject_id": connection.execute(query).scalar_one(),
            "set_aside_at": 0.0,
        }
        connection.execute(sa.insert(audit_item).values(row))
    assert priors(place, ids) == {}


def test_a_reference_itself_has_no_prior(place: Place) -> None:
    calibrate(place.workspace.catalogue, place.workspace.begin_run("test"))
    ids = ask_about(place, 1, 0.7)
    choose_all_as(place, Chosen.UNCERTAIN)
    with place.workspace.catalogue.write() as connection:
        connection.execute(
            sa.update(question).values(reference_face_id=question.c.face_id)
        )
    assert priors(place, ids) == {}
