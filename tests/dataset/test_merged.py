"""Characters that people found to be one, in a release."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue import merges, schema
from icf.codes import Label, ReviewStatus, Suspicion
from icf.dataset.release.prepare import prepare
from icf.dataset.selection import Selection
from icf.errors import WrongUse
from icf.workspace import Workspace


def merge(workspace: Workspace, gone: int, stays: int) -> None:
    run_id = workspace.begin_run("test")
    with workspace.catalogue.write() as connection:
        merges.merge(connection, run_id, gone, stays)


def faces_of(selection: Selection, character_id: int) -> set[int]:
    faces = selection.faces
    return set(faces.face[faces.identity == character_id].tolist())


def test_merged_characters_are_one_identity_whatever_the_chain(
    workspace: Workspace,
) -> None:
    before = prepare(workspace, 1).plan.selection
    merge(workspace, 2, 1)
    merge(workspace, 1, 3)
    plan = prepare(workspace, 1).plan
    together = faces_of(plan.selection, 3)
    assert together == set().union(*(faces_of(before, each) for each in (1, 2, 3)))
    assert {1, 2}.isdisjoint(plan.selection.identities)
    assert plan.labels.keys().isdisjoint({1, 2})


def test_a_face_confirmed_for_one_and_refused_for_the_other_is_left_out(
    workspace: Workspace,
) -> None:
    face_id = min(faces_of(prepare(workspace, 1).plan.selection, 1))
    refuse(workspace, face_id, 2)
    untouched = prepare(workspace, 1).plan.selection
    assert face_id in faces_of(untouched, 1)
    merge(workspace, 2, 1)
    torn = prepare(workspace, 1).plan.selection
    assert face_id not in torn.faces.face
    assert torn.left_out["confirmed_for_two_characters"] == 1


def refuse(workspace: Workspace, face_id: int, character_id: int) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(
            sa.insert(schema.question).values(
                face_id=face_id,
                character_id=character_id,
                reference_face_id=face_id,
                batch_id="b1",
                label=Label.DIFFERENT.value,
                asked_at=1.0,
            )
        )


def test_a_merge_that_is_confirmed_and_not_done_stops_a_release(
    workspace: Workspace,
) -> None:
    say(workspace, 1, 2, ReviewStatus.SAME)
    with pytest.raises(WrongUse, match="`icf-filter review --apply`"):
        prepare(workspace, 1)
    merge(workspace, 2, 1)
    assert faces_of(prepare(workspace, 1).plan.selection, 1)


def test_what_people_contradict_each_other_about_stops_no_release(
    workspace: Workspace,
) -> None:
    say(workspace, 1, 2, ReviewStatus.SAME)
    merge(workspace, 2, 1)
    say(workspace, 2, 3, ReviewStatus.SAME)
    say(workspace, 1, 3, ReviewStatus.DIFFERENT)
    assert {1, 3} <= prepare(workspace, 1).plan.selection.identities.keys()


def say(workspace: Workspace, one: int, other: int, status: ReviewStatus) -> None:
    """What people answered when they were asked whether two are one."""
    with workspace.catalogue.write() as connection:
        connection.execute(
            sa.insert(schema.review).values(
                kind=Suspicion.MERGE.value,
                character_id=one,
                other_character_id=other,
                face_id=one,
                other_face_id=other,
                score=0.9,
                status=status.value,
                found_at=1.0,
                changed_at=1.0,
            )
        )
