from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.annotation.pauses import DISCOUNTED
from icf.catalogue.annotation.schema import person
from icf.catalogue.schema import album, answer, character, image
from icf.dataset.release.prepare import prepare
from icf.workspace import Workspace, find


def test_votes_count_the_answers_of_each_label_that_stand(
    workspace: Workspace,
) -> None:
    before = prepare(workspace, 1).about.facts
    with workspace.catalogue.write() as connection:
        first = sa.select(sa.func.min(answer.c.id)).scalar_subquery()
        gone = sa.update(answer).where(answer.c.id == first).values(replaced_at=2.0)
        connection.execute(gone)
        connection.execute(
            sa.update(album).where(album.c.id == 1).values(region="japan", style="flat")
        )
        connection.execute(sa.update(character).values(gender="female"))
        one = image.c.id == min(before.bytes)
        connection.execute(sa.update(image).where(one).values(no_training="x: no"))
    after = prepare(workspace, 1).about.facts
    assert before.votes == {2: 135}
    assert after.votes == {1: 1, 2: 134}
    assert (before.marked, after.marked) == (0, 1)
    assert (before.people, before.answers, after.answers) == (2, 272, 271)
    assert before.identities_by_region == {"not stated": 15}
    assert after.identities_by_region == {"not stated": 10, "japan": 5}
    assert (before.tells_styles, after.tells_styles) == (False, True)
    assert after.identities_by_style == {"not stated": 10, "flat": 5}
    assert after.identities_by_gender == {"female": 15}


def test_answers_that_count_no_more_are_in_no_card(workspace: Workspace) -> None:
    before = prepare(workspace, 1).about.facts
    with workspace.catalogue.write() as connection:
        name = connection.execute(sa.select(sa.func.min(answer.c.annotator))).scalar()
        someone = {"name": name, "role": "annotator", "pseudonym": "p"}
        paused = {"paused_at": 1.0, "paused_why": DISCOUNTED, "added_at": 1.0}
        connection.execute(sa.insert(person).values(**someone, **paused))
    after = prepare(workspace, 1).about.facts
    assert (before.people, before.answers, before.votes) == (2, 272, {2: 135})
    assert (after.people, after.answers, after.votes) == (1, 136, {1: 135})


def test_what_a_person_states_is_an_input_and_defaults_are_not(
    workspace: Workspace,
) -> None:
    plain = prepare(workspace, 1)
    stated = prepare(find(workspace.root, ("release.creator=Ann",)), 1)
    assert "release" not in plain.about.summary["settings"]
    assert stated.about.summary["settings"]["release"] == {"creator": "Ann"}
    assert plain.inputs != stated.inputs
    assert plain.about.unstated == ("release.url", "release.creator")
    assert stated.about.unstated == ("release.url",)
