"""Numbers of identities and files follow what things are, not their ids."""

from __future__ import annotations

from itertools import pairwise

from icf.dataset.plan import Placed, Plan
from icf.dataset.release.prepare import prepare
from icf.workspace import Workspace


def content(plan: Plan, each: Placed) -> tuple[str, tuple[float, ...]]:
    corners = plan.selection.faces.corners[each.face] if each.face >= 0 else ()
    return plan.selection.pictures.sha256[each.picture].decode(), tuple(corners)


def test_identities_are_numbered_by_album_and_name(workspace: Workspace) -> None:
    plan = prepare(workspace, 1).plan
    names = [
        (known.album, known.character)
        for each in plan.labels
        for known in [plan.selection.identities[each]]
    ]
    trained = len({each.label for each in plan.train})
    assert 0 < trained < len(names)
    assert names[:trained] == sorted(names[:trained])
    assert names[trained:] == sorted(names[trained:])


def test_files_are_numbered_by_content(workspace: Workspace) -> None:
    plan = prepare(workspace, 1).plan
    for part in (plan.train, plan.test):
        for one, other in pairwise(part):
            if one.label == other.label:
                assert content(plan, one) < content(plan, other)
    for part in (plan.detection_train, plan.detection_test):
        assert len(part) > 1
        for one, other in pairwise(part):
            assert content(plan, one) < content(plan, other)
    labels = [each.label for each in plan.test if each.label >= 0]
    assert labels == sorted(labels)
