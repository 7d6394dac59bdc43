from __future__ import annotations

from dataclasses import replace

import numpy as np

from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import UNUSED, Plan, make_plan
from icf.dataset.selection import Pictures, SelectedFaces, Selection, select
from icf.workspace import Workspace


def found_in_reverse(selection: Selection) -> Selection:
    """The same faces, pictures and characters as a harvest in reverse numbers them."""
    faces, pictures = selection.faces, selection.pictures
    last = int(max(faces.identity.max(), faces.album.max())) + 1
    back = np.arange(len(pictures.image))[::-1]
    return replace(
        selection,
        faces=SelectedFaces(
            face=np.arange(len(faces.face)),
            identity=last - faces.identity[::-1],
            album=last - faces.album[::-1],
            picture=len(back) - 1 - faces.picture[::-1],
            corners=faces.corners[::-1],
            pixel_hash=faces.pixel_hash[::-1],
            hashes=faces.hashes[np.arange(len(faces.face))[::-1]],
        ),
        pictures=Pictures(
            image=np.arange(len(back)),
            sha256=pictures.sha256[back],
            pixel_hash=pictures.pixel_hash[back],
            hashes=pictures.hashes[back],
            format=pictures.format[::-1],
            size=pictures.size[back],
            boxes=pictures.boxes[::-1],
            complete=pictures.complete[back],
            detected=pictures.detected[::-1],
        ),
        identities={
            last - key: replace(
                each, character_id=last - key, album_id=last - each.album_id
            )
            for key, each in selection.identities.items()
        },
    )


def shown(plan: Plan) -> dict[str, set[tuple[object, ...]]]:
    """What each part of a plan holds, by the pictures' bytes and the faces' places."""
    faces, pictures = plan.selection.faces, plan.selection.pictures
    parts: dict[str, set[tuple[object, ...]]] = {
        name: {
            (pictures.sha256[faces.picture[row]], *faces.corners[row].tolist())
            for row in getattr(plan.splits, name)
        }
        for name in ("train", "probes", "distractors")
    }
    for name in ("detection_train", "detection_test"):
        rows = getattr(plan.splits, name)
        parts[name] = {(each,) for each in pictures.sha256[rows].tolist()}
    return parts


def test_the_order_in_which_pictures_were_found_does_not_change_the_splits(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.read() as connection:
        selection = select(connection)
    reach = Reach(workspace.settings.filter.max_phash, 10)
    plans = [
        make_plan(each, workspace.settings.dataset, reach, seed=5)
        for each in (selection, found_in_reverse(selection))
    ]
    assert all(shown(plans[0]).values())
    assert shown(plans[0]) == shown(plans[1])


def test_every_confirmed_face_is_in_a_split_or_has_a_reason_not_to_be(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.read() as connection:
        selection = select(connection)
    reach = Reach(workspace.settings.filter.max_phash, 10)
    for seed in range(5):
        plan = make_plan(selection, workspace.settings.dataset, reach, seed)
        counts = plan.counts
        used = sum(counts[part] for part in ("train_faces", "probes", "distractors"))
        whole = counts["confirmed_faces"] + counts["unasked_references"]
        assert used + sum(plan.unused.values()) == whole
        assert all(count >= 0 for count in plan.unused.values())
        assert plan.unused.keys() == UNUSED.keys()
