from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from cleanlab.filter import find_label_issues
from cleanlab.multiannotator import get_label_quality_multiannotator

from icf.annotate.posterior import suspects
from icf.annotate.posterior.dawid_skene import Answers, fit
from icf.annotate.posterior.suspects import (
    ask_again,
    confidently_other,
    find_suspects,
)
from icf.annotate.votes import VotesRule
from icf.catalogue.schema import question
from icf.codes import Choice, Chosen, Label
from tests.annotate.pairs.asked import ask_all
from tests.annotate.place import Place
from tests.annotate.posterior.answers import calibrate, decide, say
from tests.annotate.posterior.crowd import Crowd, World

T, F = Choice.TRUE, Choice.FALSE

SMALL = World(labels=6000)


def one_answer_each(seed: int) -> tuple[Crowd, np.ndarray]:
    """A crowd, and labels of one answer each."""
    crowd = Crowd(SMALL, np.random.default_rng(seed))
    ids = np.arange(len(crowd.faces.same))
    return crowd, crowd.say(ids, crowd.random.integers(0, crowd.people, len(ids)))


@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_suspects_are_really_wrong(seed: int) -> None:
    """One label of 14 is wrong; of the suspects at least one of two."""
    crowd, said = one_answer_each(seed)
    suspect = confidently_other(said, crowd.faces.probability)
    wrong = said != crowd.faces.same
    assert wrong.mean() < 0.1
    assert wrong[suspect].mean() > 0.5
    # And they are most of the mistakes that the model can see at all.
    assert (suspect & wrong).sum() > 0.5 * wrong.sum()


def test_it_is_the_off_diagonal_of_cleanlabs_confident_joint() -> None:
    crowd, said = one_answer_each(5)
    probability = crowd.faces.probability
    theirs = find_label_issues(
        said.astype(int),
        np.stack([1 - probability, probability], axis=1),
        filter_by="confident_learning",
        n_jobs=1,
    )
    ours = confidently_other(said, probability)
    assert (ours == theirs).mean() > 0.999
    assert ours.sum() > 100


def test_labels_and_their_quality_agree_with_crowdlab() -> None:
    """CROWDLAB (Goh et al. 2022) weighs people and the model in another way."""
    crowd = Crowd(replace(SMALL, labels=1500), np.random.default_rng(6))
    count = len(crowd.faces.same)
    table = np.full((count, crowd.people), np.nan)
    for _ in range(3):
        people = crowd.random.integers(0, crowd.people, count)
        table[np.arange(count), people] = crowd.say(np.arange(count), people)
    asked, person = np.nonzero(~np.isnan(table))
    probability = crowd.faces.probability
    inside = np.clip(probability, 0.01, 0.99)
    ours = fit(
        Answers(
            asked,
            person,
            table[asked, person] == 1,
            np.log(inside / (1 - inside)),
            np.full(count, np.nan),
            crowd.people,
        )
    ).posterior
    theirs = get_label_quality_multiannotator(
        pd.DataFrame(table),
        np.stack([1 - probability, probability], axis=1),
        verbose=False,
    )["label_quality"]
    labels = theirs["consensus_label"].to_numpy() == 1
    assert ((ours > 0.5) == labels).mean() > 0.98
    quality = np.where(labels, ours, 1 - ours)
    ranks = [
        np.argsort(np.argsort(each))
        for each in (quality, theirs["consensus_quality_score"].to_numpy())
    ]
    assert np.asarray(np.corrcoef(np.stack(ranks)))[0, 1] > 0.5


def test_where_all_labels_are_the_same_there_is_nothing_to_compare() -> None:
    probability = np.array([0.1, 0.9, 0.8])
    assert not confidently_other(np.ones(3, bool), probability).any()
    assert not confidently_other(np.zeros(0, bool), np.zeros(0)).any()


@pytest.fixture
def asked(place: Place) -> tuple[Place, list[int]]:
    """Ten questions that people agree with the model on, and two contradictions."""
    calibrate(place.workspace.catalogue, place.workspace.begin_run("test"))
    ann = place.add_character()
    probabilities = [0.97] * 5 + [0.04] * 5 + [0.01, 0.02]
    faces = [place.add_face(ann, each) for each in probabilities]
    ask_all(place)
    query = sa.select(question.c.id, question.c.face_id)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(chosen=Chosen.UNCERTAIN.value))
        of_face = {row.face_id: row.id for row in connection.execute(query)}
    keys = [of_face[each] for each in faces]
    choices = [T] * 5 + [F] * 5 + [T, T]
    said = {key: [("ann", each)] for key, each in zip(keys, choices, strict=True)}
    say(place, said, VotesRule(1))
    return place, keys


@pytest.fixture
def _half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "MOST", 0.5)


def found(place: Place) -> list[int]:
    with place.workspace.catalogue.read() as connection:
        return [each.id for each in find_suspects(connection, {}, 0.99)]


@pytest.mark.usefixtures("_half")
def test_what_the_model_contradicts_is_asked_again_the_most_doubtful_first(
    asked: tuple[Place, list[int]],
) -> None:
    place, keys = asked
    assert found(place) == [keys[10], keys[11]]
    with place.workspace.catalogue.read() as connection:
        doubtful = find_suspects(connection, {}, 0.99)
    run_id = place.workspace.begin_run("test")
    catalogue = place.workspace.catalogue
    followed = ask_again(catalogue, run_id, VotesRule(1), doubtful)
    assert followed.labels == {Label.OPEN: 2}
    assert [place.labels()[key] for key in keys[9:]] == ["different", "open", "open"]
    assert [verdict for _, verdict, _ in place.decisions("doubt")] == ["open", "open"]
    # It stays open until somebody else says something, and is no suspect again.
    assert found(place) == []
    say(place, {keys[10]: [("bob", T)]}, VotesRule(1))
    assert place.labels()[keys[10]] == "same"
    assert place.labels()[keys[11]] == "open"
    assert found(place) == []


@pytest.mark.usefixtures("_half")
def test_an_experts_word_and_random_questions_are_no_suspects(
    asked: tuple[Place, list[int]],
) -> None:
    place, keys = asked
    decide(place, keys[10], "eve", T)
    assert found(place) == [keys[11]]
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(chosen=Chosen.RANDOM.value))
    assert found(place) == []


def test_what_is_still_open_counts_among_what_was_asked_about_again(
    asked: tuple[Place, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, keys = asked
    monkeypatch.setattr(suspects, "MOST", 0.1)
    assert found(place) == [keys[10]]
    with place.workspace.catalogue.read() as connection:
        doubtful = find_suspects(connection, {}, 0.99)
    run_id = place.workspace.begin_run("test")
    ask_again(place.workspace.catalogue, run_id, VotesRule(1), doubtful)
    assert found(place) == []


def test_only_a_small_share_is_ever_asked_about_again(
    asked: tuple[Place, list[int]],
) -> None:
    place, _ = asked
    assert found(place) == []
