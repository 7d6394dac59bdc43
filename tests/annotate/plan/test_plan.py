"""The plan of a workspace, against counts that are known and people that are played."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.annotate.choosing.shares import Shares
from icf.annotate.cli.main import cli
from icf.annotate.gold.pauses import discount
from icf.annotate.people.people import Role
from icf.annotate.people.sessions import find_or_add
from icf.annotate.plan.plan import Plan, read_plan
from icf.annotate.plan.randoms import Drawn, count_drawn
from icf.annotate.plan.seconds import read_seconds
from icf.annotate.votes import VotesRule
from icf.catalogue import calibrations
from icf.catalogue.annotation.schema import box_answer, box_task
from icf.catalogue.calibrations import Curve
from icf.catalogue.schema import answer, question
from icf.codes import BoxStatus, Choice, Label
from icf.settings import AnnotateSettings
from tests.annotate.boxes.pictures import Pictures
from tests.annotate.choosing.films import say, track
from tests.annotate.place import EMBEDDER, Place
from tests.annotate.test_ask import ask_in
from tests.filter.identify import simulation
from tests.filter.identify.simulation import World

ALL = Shares(random=0)


def plan(
    place: Place,
    shares: Shares = ALL,
    settings: AnnotateSettings = AnnotateSettings(),  # noqa: B008 - frozen
    votes: int = 1,
) -> Plan:
    with place.workspace.catalogue.read() as connection:
        return read_plan(connection, settings, shares, VotesRule(votes))


def test_questions_grids_and_boxes_are_counted(place: Place) -> None:
    ann, bob = place.add_character(), place.add_character("Bob")
    place.set_reference(bob, place.reference(bob), "medoid")
    for _ in range(35):
        place.add_face(ann, 0.95)
    for _ in range(10):
        place.add_face(bob, 0.5)
    made = plan(place)
    assert (made.questions, made.references, made.drawn) == (46, 1, 0)
    assert made.answers == 46
    # 35 faces of Ann are likely: two grids of 15.2 tiles, and a small one.
    assert (made.grids, made.pairs) == (3, 11)
    assert made.boxes == 2 * (35 + 10 + 2)
    assert made.hours == pytest.approx(
        {"pairs": 11 * 1.2 / 3600, "grids": 3 * 4 / 3600, "boxes": 94 * 7 / 3600}
    )
    assert made.person_hours == pytest.approx(sum(made.hours.values()))
    assert made.error.value == pytest.approx(0.03, abs=0.003)
    assert made.error.low < made.error.value < made.error.high


def test_boxes_that_people_settled_or_looked_at_are_not_ahead(place: Place) -> None:
    pictures = Pictures(place)
    done, half, _ = (pictures.add((10.0, 10.0, 60.0, 60.0)) for _ in range(3))
    before = plan(place).boxes
    with place.workspace.catalogue.write() as connection:
        for image_id, status in ((done, BoxStatus.VERIFIED), (half, BoxStatus.OPEN)):
            values = {"image_id": image_id, "hidden": False, "status": status.value}
            times = {"asked_at": 0.0, "changed_at": 0.0}
            connection.execute(sa.insert(box_task).values(**values, **times))
            said = {"image_id": image_id, "verdict": "boxed", "boxes": "[]"}
            told = {"shown": True, "annotator": "ann", "answered_at": 0.0}
            connection.execute(sa.insert(box_answer).values(**said, **told))
    assert plan(place).boxes == before - 2 - 1
    with place.workspace.catalogue.write() as connection:
        said = {"image_id": half, "verdict": "boxed", "boxes": "[[1,1,9,9]]"}
        told = {"shown": True, "annotator": "bob", "answered_at": 0.0}
        connection.execute(sa.insert(box_answer).values(**said, **told))
    # The two differ, and a third has to look.
    assert plan(place).boxes == before - 2 - 1


def test_more_votes_take_more_answers_and_leave_fewer_errors(place: Place) -> None:
    ann = place.add_character()
    for _ in range(30):
        place.add_face(ann, 0.6)
    one, three = plan(place), plan(place, votes=3)
    assert three.questions == one.questions == 30
    assert 90 <= three.answers <= 99
    assert three.error.value < one.error.value / 5


def test_open_questions_count_with_the_answers_that_they_have(place: Place) -> None:
    ann = place.add_character()
    faces = [place.add_face(ann, 0.6) for _ in range(20)]
    ask_in(place, 10, shares=ALL)
    with place.workspace.catalogue.write() as connection:
        for key in place_ids(connection)[:5]:
            row = {"question_id": key, "annotator": "bob", "choice": "true"}
            connection.execute(
                sa.insert(answer).values(**row, imported_at=0.0, file="b.csv", line=1)
            )
    made = plan(place, votes=2)
    assert made.questions == 20
    assert made.answers == round(plan_of_fresh(20) - 5)
    with place.workspace.catalogue.write() as connection:
        discount(connection, find_or_add(connection, "bob", Role.ANNOTATOR))
    assert plan(place, votes=2).answers == round(plan_of_fresh(20))
    say(place, Choice.TRUE, *faces[:10])
    assert plan(place).questions == 10


def test_answers_that_were_given_are_no_grids_to_come(place: Place) -> None:
    ann, bob = place.add_character(), place.add_character("Bob")
    for _ in range(30):
        place.add_face(ann, 0.95)
        place.add_face(bob, 0.5)
    ask_in(place, 60, shares=ALL)
    before = plan(place, votes=2)
    with place.workspace.catalogue.write() as connection:
        rows = [
            {"question_id": key, "annotator": "bob", "choice": "true"}
            for key in place_ids(connection)
        ]
        said = sa.insert(answer).values(imported_at=0.0, file="b.csv", line=1)
        connection.execute(said, rows)
    made = plan(place, votes=2)
    assert made.answers == before.answers - 60
    # Half of what is left is about likely faces.
    assert made.pairs == pytest.approx(made.answers / 2, abs=2)
    assert (before.grids, made.grids) == (4, 2)


def place_ids(connection: sa.Connection) -> list[int]:
    return list(connection.execute(sa.select(question.c.id)).scalars())


def plan_of_fresh(count: int, error: float = 0.0297) -> float:
    """Answers of so many questions that two must agree about."""
    return count * (2 + 2 * error * (1 - error))


def test_accepted_faces_and_followers_need_no_answer(place: Place) -> None:
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        calibrations.add(
            connection, run_id, EMBEDDER, Curve(9, -4), answered=50, error=0, figures={}
        )
    ann = place.add_character()
    for _ in range(20):
        place.add_face(ann, 0.98)
    for _ in range(4):
        track(place, ann, 5, 0.6)
    shares = Shares(random=0, risk=0.05, follow=True, track_audit=0.25)
    made = plan(place, shares)
    assert made.accepted == 20
    assert made.accepted_error == pytest.approx(0.02)
    assert (made.questions, made.followers, made.drawn) == (4 + 4, 12, 4)
    look = plan(place, replace(shares, look=True))
    assert (look.accepted, look.questions) == (0, 28)


@pytest.mark.parametrize(
    ("to_ask", "needless", "dropped", "expected"),
    [
        (700, 0, 1000, Drawn(0, 60)),
        (700, 0, 10, Drawn(0, 10)),
        (0, 5000, 1000, Drawn(0, 0)),
    ],
)
def test_a_part_of_each_batch_is_drawn_at_random(
    to_ask: int, needless: int, dropped: int, expected: Drawn
) -> None:
    found = count_drawn(to_ask, needless, dropped, batch=100, share=0.3)
    assert found.needless == expected.needless
    assert found.dropped == pytest.approx(expected.dropped, abs=8)


def test_seconds_are_measured_where_there_are_enough_answers(place: Place) -> None:
    ann = place.add_character()
    for _ in range(120):
        place.add_face(ann, 0.6)
    ask_in(place, 120, shares=ALL)
    with place.workspace.catalogue.write() as connection:
        for count, key in enumerate(place_ids(connection)):
            row = {"question_id": key, "annotator": "bob", "choice": "true"}
            row |= {"imported_at": 0.0, "file": "b.csv", "line": 1}
            seconds = 2.0 if count else 5000.0
            connection.execute(sa.insert(answer).values(**row, seconds=seconds))
            if count == 90:
                assert read_seconds(connection).pair == 1.2
        found = read_seconds(connection)
    assert (found.pair, sorted(found.measured)) == (2.0, ["pair"])
    assert "2.0 s a pair (measured here)" in "\n".join(plan(place).assumptions)


def test_people_who_are_played_take_what_was_planned(tmp_path: Path) -> None:
    """The plan is within 2% of the questions, and half of the error."""
    world = World(albums=12)
    played = simulation.make(tmp_path / "space", world, seed=3)
    played.identify()
    shares = Shares(confirmed=False)
    settings = AnnotateSettings(batch=200)
    with played.workspace.catalogue.read() as connection:
        made = read_plan(connection, settings, shares, VotesRule(1))
    count = 0
    while some := played.ask(200, shares):
        played.answer(some)
        count += len(some)
    assert made.questions == pytest.approx(count, rel=0.02)
    query = sa.select(
        question.c.face_id, question.c.reference_face_id, question.c.label
    )
    with played.workspace.catalogue.read() as connection:
        rows = connection.execute(query).all()
    wrong = np.mean(
        [
            (row.label == Label.SAME.value)
            != (played.who[row.face_id] == played.who[row.reference_face_id])
            for row in rows
        ]
    )
    assert made.error.value == pytest.approx(wrong, rel=0.5)
    assert made.error.low <= wrong <= made.error.high
    played.workspace.catalogue.close()


def test_the_command_prints_what_scripts_rely_on(plain: Place) -> None:
    plain.add_face(plain.add_character(), 0.5)
    words = ["plan", "-C", str(plain.workspace.root)]
    done = CliRunner().invoke(cli, [*words, "--json", "--boxes", "1"])
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert made["questions"] == 1
    assert made["boxes"] == 2
    assert {"grids", "person_hours", "expected_error"} <= made.keys()
    text = CliRunner().invoke(cli, words).stdout
    assert "person-hours" in text
    assert "assumed:" in text
