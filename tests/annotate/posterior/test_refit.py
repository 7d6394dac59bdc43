from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.annotate.current_rule import current_rule, posterior_rule
from icf.annotate.import_answers import AnnotatorNames, import_answers
from icf.annotate.posterior.reading import read_answers
from icf.annotate.posterior.refit import fit_skills, preview, refit, relabel
from icf.annotate.posterior.rule import PosteriorRule
from icf.annotate.posterior.skills import read_skills
from icf.annotate.votes import VotesRule
from icf.catalogue.annotation.pauses import LOW_SCORE
from icf.catalogue.annotation.schema import person
from icf.catalogue.schema import question
from icf.codes import Choice, Label
from tests.annotate.gold.place import add_gold, add_person, answer_gold
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.posterior.answers import decide, say

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE


def weigh(place: Place, **changes: object) -> PosteriorRule:
    """The rule by the skills that are stored."""
    settings = place.workspace.settings.annotate.model_copy(update=changes)
    with place.workspace.catalogue.read() as connection:
        return posterior_rule(connection, settings, read_skills(connection))


def posteriors(place: Place) -> list[float | None]:
    query = sa.select(question.c.posterior).order_by(question.c.id)
    with place.workspace.catalogue.read() as connection:
        return list(connection.execute(query).scalars())


def test_who_guesses_is_found_and_labels_follow(place: Place) -> None:
    keys = ask_about(place, 30)
    say(
        place,
        {
            key: [
                ("ann", T if key % 3 else F),
                ("bob", T if key % 3 else F),
                ("spam", T if key % 2 else F),
            ]
            for key in keys
        },
    )
    skills = refit(place.workspace.catalogue)
    assert (skills.questions, skills.answers) == (30, 90)
    assert skills.of["ann"].sensitivity > 0.9
    assert skills.of["spam"].sensitivity < 0.75
    with place.workspace.catalogue.read() as connection:
        assert read_skills(connection) == skills.of
    run_id = place.workspace.begin_run("test")
    followed = relabel(place.workspace.catalogue, run_id, weigh(place))
    assert place.labels() == {key: "same" if key % 3 else "different" for key in keys}
    assert followed.labels == {Label.SAME: 20, Label.DIFFERENT: 10}
    assert all(
        value is not None and (value > 0.99 if key % 3 else value < 0.01)
        for key, value in zip(keys, posteriors(place), strict=True)
    )


def test_a_change_is_in_the_ledger_with_its_probability(place: Place) -> None:
    [one] = ask_about(place, 1)
    say(place, {one: [("ann", T), ("bob", T), ("cat", T)]})
    run_id = place.workspace.begin_run("test")
    relabel(place.workspace.catalogue, run_id, weigh(place))
    [(key, verdict, value)] = place.decisions("label")
    assert (key, verdict) == (one, "same")
    assert value is not None
    assert 0.99 < value < 1
    again = relabel(place.workspace.catalogue, run_id, weigh(place))
    assert not again.labels
    assert len(place.decisions("label")) == 1


def test_a_preview_counts_and_writes_nothing(place: Place) -> None:
    one, two = ask_about(place, 2)
    say(place, {one: [("ann", T)], two: [("ann", F)]}, VotesRule(1))
    with place.workspace.catalogue.read() as connection:
        assert preview(connection, weigh(place)) == {
            (Label.SAME, Label.OPEN): 1,
            (Label.DIFFERENT, Label.OPEN): 1,
        }
        assert not preview(connection, VotesRule(1))
    assert place.labels() == {one: "same", two: "different"}
    assert posteriors(place) == [None, None]


def test_known_pairs_and_experts_anchor_the_fit(place: Place) -> None:
    one, two, three = ask_about(place, 3)
    add_person(place, "ann")
    say(place, {one: [("ann", F)], two: [("ann", U)], three: [("ann", T)]})
    decide(place, one, "eve", T)
    ann = place.add_character()
    known = add_gold(place, [T, F, T], ann)
    answer_gold(place, "ann", zip(known, [T, T, Choice.NOT_A_FACE], strict=True))
    with place.workspace.catalogue.read() as connection:
        read = read_answers(connection)
    # The expert's word is no evidence of the expert's skill.
    assert read.people == ("ann",)
    assert read.questions == (one, three)
    assert read.answers.yes.tolist() == [False, True, True, True]
    assert read.answers.known.tolist()[0::2] == [1.0, 1.0]
    assert read.answers.known.tolist()[3] == 0.0


def test_who_is_paused_for_a_low_score_has_no_say(place: Place) -> None:
    [one] = ask_about(place, 1)
    add_person(place, "ann")
    say(place, {one: [("ann", T), ("bob", F)]})
    with place.workspace.catalogue.write() as connection:
        paused = {"paused_at": 1.0, "paused_why": LOW_SCORE}
        connection.execute(sa.update(person).values(paused))
    with place.workspace.catalogue.read() as connection:
        assert read_answers(connection).people == ("bob",)


def test_withdrawn_questions_teach_nothing(place: Place) -> None:
    [one] = ask_about(place, 1)
    say(place, {one: [("ann", T)]})
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label="withdrawn"))
    with place.workspace.catalogue.read() as connection:
        assert fit_skills(connection).of == {}


@pytest.mark.parametrize("decide_by", ["votes", "posterior"])
def test_the_settings_choose_the_rule(plain: Place, decide_by: str) -> None:
    plain.set_up(f'[annotate]\ndecide = "{decide_by}"\nmax_votes = 5\n')
    rule = current_rule(plain.workspace)
    assert isinstance(rule, VotesRule if decide_by == "votes" else PosteriorRule)
    assert rule.max_votes == 5


def test_an_import_weighs_people_where_the_settings_say_so(plain: Place) -> None:
    ids = ask_about(plain, 12)
    rows = [
        f"q{key},{name},{'true' if name != 'spam' or key % 2 else 'false'}"
        for key in ids
        for name in ("ann", "bob", "spam")
    ]
    path = plain.workspace.root / "a.csv"
    path.write_text("\n".join(["question_id,annotator,answer", *rows]))
    plain.set_up('[annotate]\ndecide = "posterior"\n')
    imported = import_answers(plain.workspace, path, AnnotatorNames({}))
    assert imported.taken == 36
    with plain.workspace.catalogue.read() as connection:
        skills = read_skills(connection)
    assert skills["spam"].sensitivity < 0.8 < skills["ann"].sensitivity
    assert set(plain.labels().values()) == {"same"}
