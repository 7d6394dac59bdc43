from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue.schema import image, image_source
from icf.dataset.contents import Contents
from icf.dataset.excluded import Excluded
from icf.dataset.leaks.report import LeakReport
from icf.dataset.leaks.search import search_leaks
from icf.dataset.near_duplicates import Hashes, Reach
from icf.dataset.plan import Plan, make_plan
from icf.dataset.release.placed import contents_of
from icf.dataset.release.prepare import prepare
from icf.dataset.release.searched import find_leaks
from icf.dataset.splits.parts import Splits
from icf.settings import DatasetSettings
from icf.workspace import Workspace
from tests.dataset.drawn import EMBEDDER

REACH = Reach(10, 10)


@pytest.fixture
def plan(workspace: Workspace) -> Plan:
    return prepare(workspace, 1).plan


def leaks_of(workspace: Workspace, plan: Plan, splits: Splits) -> dict[str, int]:
    """The checks that found something."""
    return counts(look(workspace, replace(plan, splits=splits)))


def look(workspace: Workspace, plan: Plan) -> LeakReport:
    return find_leaks(plan, REACH, lambda ids: workspace.vectors.get(EMBEDDER, ids))


def counts(report: LeakReport) -> dict[str, int]:
    return {each.name: each.count for each in report.checks if each.count}


def with_hashes(plan: Plan, pictures: Hashes, faces: Hashes) -> Plan:
    selection = plan.selection
    changed = replace(
        selection,
        pictures=replace(selection.pictures, hashes=pictures),
        faces=replace(selection.faces, hashes=faces),
    )
    return replace(plan, selection=changed)


def test_a_plan_that_was_made_for_it_is_clean(workspace: Workspace, plan: Plan) -> None:
    assert leaks_of(workspace, plan, plan.splits) == {}


def test_a_distractor_of_a_trained_identity_is_found(
    workspace: Workspace, plan: Plan
) -> None:
    faces, splits = plan.selection.faces, plan.splits
    trained = splits.train[0]
    mine = faces.identity == faces.identity[trained]
    free = np.setdiff1d(np.flatnonzero(mine), [*splits.train, *splits.probes])
    row = free[0] if len(free) else splits.train[mine[splits.train]][-1]
    leaky = replace(
        splits,
        train=splits.train[splits.train != row],
        distractors=np.append(splits.distractors, row),
    )
    assert leaks_of(workspace, plan, leaky)["distractor_elsewhere"] == 1


def test_a_train_picture_that_shows_a_held_out_identity_is_found(
    workspace: Workspace, plan: Plan
) -> None:
    faces, splits = plan.selection.faces, plan.splits
    shared = np.flatnonzero(
        (np.bincount(faces.picture)[faces.picture] > 1)
        & ~np.isin(faces.picture, faces.picture[splits.train])
        & ~np.isin(faces.picture, faces.picture[[*splits.probes, *splits.distractors]])
    )
    trained = faces.identity[splits.train]
    row = next(r for r in shared if faces.identity[r] in trained)
    leaky = replace(splits, train=np.append(splits.train, row))
    assert leaks_of(workspace, plan, leaky)["held_out_identity_shown"] == 1


def test_a_face_that_the_filter_drops_still_shows_a_held_out_identity(
    workspace: Workspace, plan: Plan
) -> None:
    selection, splits = plan.selection, plan.splits
    faces = selection.faces
    held_out = selection.identities[int(faces.identity[splits.distractors[0]])]
    out = Excluded(
        sha256=selection.pictures.sha256[faces.picture[splits.train[:1]]],
        corners=np.array([[0.0, 0.0, 9.0, 9.0]]),
        character=(held_out.character,),
        album=(held_out.album,),
        reason=("too_small",),
        pixel_hash=np.array([b"0" * 64]),
    )
    dropped = replace(selection, excluded=out)
    leaky = replace(plan, selection=dropped)
    assert counts(look(workspace, leaky)) == {"held_out_identity_shown": 1}
    divided = make_plan(dropped, DatasetSettings(), REACH, 1)
    assert counts(look(workspace, divided)) == {}


def test_a_picture_in_both_detection_lists_is_found(
    workspace: Workspace, plan: Plan
) -> None:
    splits = plan.splits
    leaky = replace(
        splits,
        detection_train=np.append(splits.detection_train, splits.detection_test[:1]),
    )
    found = leaks_of(workspace, plan, leaky)
    assert found["same_bytes"] == found["same_pixels"] == 1


def test_a_distractor_or_test_picture_that_occurs_twice_is_found(
    workspace: Workspace, plan: Plan
) -> None:
    splits = plan.splits
    leaky = replace(
        splits, distractors=np.append(splits.distractors, splits.distractors[:1])
    )
    found = leaks_of(workspace, plan, leaky)
    assert found["distractor_twice"] == found["test_picture_twice"] == 1


@pytest.mark.parametrize("bits", [0, 10, 11])
def test_near_duplicates_across_train_and_test_are_found_up_to_the_reach(
    workspace: Workspace, plan: Plan, bits: int
) -> None:
    faces, pictures = plan.selection.faces, plan.selection.pictures
    train, test = plan.splits.train[0], plan.splits.probes[0]
    face_hash, picture_hash = faces.hashes.phash.copy(), pictures.hashes.phash.copy()
    face_dhash, dhash = faces.hashes.dhash.copy(), pictures.hashes.dhash.copy()
    a, b = faces.picture[train], faces.picture[test]
    face_hash[train], face_dhash[train] = face_hash[test] ^ (2**bits - 1), 5
    picture_hash[a], dhash[a] = picture_hash[b] ^ (2**bits - 1), 5
    face_dhash[test] = dhash[b] = 5
    near = with_hashes(plan, Hashes(picture_hash, dhash), Hashes(face_hash, face_dhash))
    found = counts(look(workspace, near))
    expected = {"near_duplicate_pictures": 1, "near_duplicate_faces": 1}
    assert found == (expected if bits <= REACH.phash else {})


def test_near_duplicates_of_the_test_are_removed_from_train(
    workspace: Workspace, plan: Plan
) -> None:
    faces = plan.selection.faces
    train, probes = plan.splits.train, plan.splits.probes
    # Of an identity with probes, one that is near another might be a probe itself.
    others = train[~np.isin(faces.identity[train], faces.identity[probes])]
    rows = np.stack([others[:3], probes[:3]])
    phash, dhash = faces.hashes.phash.copy(), faces.hashes.dhash.copy()
    phash[rows[0]], dhash[rows[0]] = phash[rows[1]] ^ 1, dhash[rows[1]]
    near = with_hashes(
        plan, plan.selection.pictures.hashes, Hashes(phash, dhash)
    ).selection
    again = make_plan(near, workspace.settings.dataset, REACH, 1)
    assert again.held_back["faces"] >= 3
    assert not set(rows[0].tolist()) & set(again.splits.train.tolist())
    assert counts(look(workspace, again)) == {}


def test_nearly_equal_embeddings_are_shown_for_review_and_stop_nothing(
    workspace: Workspace, plan: Plan
) -> None:
    ids = plan.selection.faces.face
    twin, original = int(ids[plan.splits.train[0]]), ids[plan.splits.probes[:1]]
    vector = workspace.vectors.get(EMBEDDER, original)
    workspace.vectors.append(EMBEDDER, np.array([twin]), vector)
    workspace.vectors.ids(EMBEDDER)
    report = look(workspace, plan)
    assert counts(report) == {"similar_embeddings": 1}
    assert report.leaks == ()
    assert "cosine 1.000" in report.checks[-1].examples[0]


def test_a_book_may_be_on_both_sides_and_is_counted_unless_files_are_kept_apart(
    workspace: Workspace,
) -> None:
    page = sa.literal("file:///ann.cbz#page=").concat(image.c.id)
    names = ["image_id", "url", "source", "licence", "licence_from", "fetched_at"]
    given = (sa.literal(each) for each in ("mine", "CC0", "list", 1.0))
    with workspace.catalogue.write() as connection:
        pages = sa.select(image.c.id, page, *given).where(image.c.id % 5 == 0)
        connection.execute(sa.insert(image_source).from_select(names, pages))
    report = prepare(workspace, 1).leaks
    (check,) = (each for each in report.checks if each.name == "same_source_file")
    assert check.count
    assert (check.severity, report.leaks) == ("review", ())


def column(contents: Contents, name: str, rows: list[int], key: str) -> Contents:
    changed = getattr(contents, name).copy()
    changed[rows] = key
    return replace(contents, **{name: changed})


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("track", "train", "probe"),
        ("shot", "detection_train", "distractor"),
        ("source_file", "train", "detection_test"),
    ],
)
def test_a_track_shot_or_file_on_both_sides_is_found(
    plan: Plan, name: str, train: str, test: str
) -> None:
    contents = contents_of(plan)
    one, other = contents.rows(train)[0], contents.rows(test)[0]
    inside = column(contents, name, contents.rows(train)[:2].tolist(), "k")
    assert not any(each.count for each in search_leaks(inside, (10, 10)))
    leaky = column(contents, name, [one, other], "k")
    checks = search_leaks(leaky, (10, 10), files_apart=True)
    found = {each.name: each for each in checks if each.count}
    assert list(found) == [f"same_{name}"]
    assert found[f"same_{name}"].severity == "leak"
    pair = f"{contents.name[one]} and {contents.name[other]}"
    assert found[f"same_{name}"].examples == (pair,)


def test_near_duplicate_probes_of_one_identity_are_counted_and_stop_nothing(
    plan: Plan,
) -> None:
    contents = contents_of(plan)
    probes = contents.rows("probe")
    label = contents.label[probes]
    same = probes[label == label[0]][:3]
    other = probes[label != label[0]][0]
    phash, dhash = contents.face_phash.copy(), contents.face_dhash.copy()
    phash[same], dhash[same] = 7, 7
    phash[other], dhash[other] = 7, 7
    near = replace(contents, face_phash=phash, face_dhash=dhash)
    found = [each for each in search_leaks(near, (10, 10)) if each.count]
    assert [(each.name, each.severity) for each in found] == [
        ("near_duplicate_probes", "review")
    ]
    assert found[0].count == 2


def test_one_label_for_two_identities_and_two_labels_for_one_are_found(
    plan: Plan,
) -> None:
    contents = contents_of(plan)
    label = contents.label.copy()
    label[contents.rows("train")[0]] = 1
    found = counts(LeakReport(search_leaks(replace(contents, label=label), (10, 10))))
    assert found == {"label_differs": 1, "label_shared": 1}
