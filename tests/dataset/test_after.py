"""Releases that come after another one: what was somewhere stays there."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue import merges, schema
from icf.catalogue.annotation.schema import box_task, verified_box
from icf.codes import FaceReason, Label, ReviewStatus, Suspicion, Unused
from icf.dataset.after import fix
from icf.dataset.before import Before
from icf.dataset.contents import read_contents
from icf.dataset.formats.crops import crop_rectangle
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Plan, make_plan
from icf.dataset.problem import make_problem
from icf.dataset.release.before import read_before
from icf.dataset.release.earlier import as_contents
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import write_sums
from icf.dataset.release.write import write
from icf.dataset.selecting.select import select
from icf.dataset.splits.parts import Part, Role, Undivided
from icf.dataset.takedowns.clean import clean
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.verify.verify import verify
from icf.errors import BadInput, WrongUse
from icf.workspace import Workspace
from tests.dataset.drawn import cut_rows

REACH = Reach(10, 10, 4)
PARTS = ("train", "probes", "distractors")


def unlabel(workspace: Workspace, some: slice) -> None:
    """Take answers back: these faces were not asked about yet."""
    with workspace.catalogue.write() as connection:
        ids = sa.select(schema.question.c.id).where(
            schema.question.c.label == Label.SAME.value
        )
        rows = connection.execute(ids.order_by(schema.question.c.id)).scalars().all()
        chosen = schema.question.c.id.in_(rows[some])
        connection.execute(
            sa.update(schema.question).where(chosen).values(label=Label.OPEN.value)
        )


def label_all(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        is_open = schema.question.c.label == Label.OPEN.value
        connection.execute(
            sa.update(schema.question).where(is_open).values(label=Label.SAME.value)
        )


def parts(plan: Plan) -> dict[int, str]:
    face = plan.selection.faces.face
    return {
        int(each): name for name in PARTS for each in face[getattr(plan.splits, name)]
    }


@pytest.mark.parametrize("earlier", [False, True])
def test_faces_and_numbers_of_an_earlier_release_stay(
    workspace: Workspace, tmp_path: Path, earlier: bool
) -> None:
    # A third of the faces, and all of the last character, come later.
    unlabel(workspace, slice(0, None, 3))
    unlabel(workspace, slice(-7, None))
    first = prepare(workspace, 1)
    assert write(workspace, first, tmp_path / "first", 1)
    if earlier:
        (tmp_path / "first" / "contents.csv").unlink()
        with pytest.raises(BadInput, match=r"first has lost its contents\.csv"):
            prepare(workspace, 1, after=tmp_path / "first")
        (tmp_path / "first" / "SHA256SUMS").unlink()
    else:
        whole = (tmp_path / "first" / "contents.csv").read_bytes()
        cut_rows(tmp_path / "first" / "contents.csv", 1)
        with pytest.raises(BadInput, match=r"changed its contents\.csv: restore it"):
            prepare(workspace, 1, after=tmp_path / "first")
        (tmp_path / "first" / "contents.csv").write_bytes(whole)
    label_all(workspace)
    for seed in (1, 2):
        second = prepare(workspace, seed, after=tmp_path / "first")
        old, new = parts(first.plan), parts(second.plan)
        assert {each: new[each] for each in old if each in new} == {
            each: part for each, part in old.items() if each in new
        }
        followed = second.plan.followed
        assert followed is not None
        assert followed.kept == sum(each in new for each in old) >= 0.95 * len(old)
        assert followed.kept + sum(followed.left_out.values()) == len(old)
        assert followed.pictures_kept > 10
        detection = first.plan.counts["detection_train_pictures"]
        detection += first.plan.counts["detection_test_pictures"]
        assert followed.pictures_kept + followed.pictures_left_out == detection
        assert followed.new == len(new.keys() - old.keys()) > 10
        labels = second.plan.labels
        assert first.plan.labels.items() <= labels.items()
        assert len(set(labels.values())) == len(labels)
        known = json.loads(second.summary)
        assert known["after"]["inputs"] == first.inputs
        assert second.inputs != prepare(workspace, seed).inputs
        assert not second.leaks.leaks


def test_who_was_held_out_never_trains_and_the_other_way_round(
    workspace: Workspace, tmp_path: Path
) -> None:
    unlabel(workspace, slice(0, None, 2))
    first = prepare(workspace, 3)
    write(workspace, first, tmp_path / "first", 3)
    label_all(workspace)
    second = prepare(workspace, 4, after=tmp_path / "first").plan

    def owners(plan: Plan, *names: str) -> set[int]:
        rows = np.concatenate([getattr(plan.splits, name) for name in names])
        return set(plan.selection.faces.identity[rows].tolist())

    old = first.plan
    trained, tested = owners(old, "train"), owners(old, "probes", "distractors")
    assert not (tested - trained) & owners(second, "train")
    assert not (trained - tested) & owners(second, "probes", "distractors")
    assert owners(old, "distractors") == owners(second, "distractors") & (
        trained | tested
    )
    assert trained & tested == owners(second, "train") & owners(second, "probes") & (
        trained | tested
    )


def redrawn(workspace: Workspace, by: float) -> None:
    """Give all faces other corners, as a data set with whole pixels has them."""
    face = schema.face.c
    with workspace.catalogue.write() as connection:
        change = sa.update(schema.face).values(x1=face.x1 + by, y1=face.y1 + by / 2)
        connection.execute(change)


@pytest.mark.parametrize("by", [-0.25, 15.0])
def test_a_face_with_another_box_of_its_own_stays(
    workspace: Workspace, tmp_path: Path, by: float
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    redrawn(workspace, by)  # where the detector found 30.25, people drew 30
    second = prepare(workspace, 5, after=tmp_path / "first")
    assert parts(second.plan) == parts(first.plan)
    followed = second.plan.followed
    assert followed is not None
    assert (followed.kept, followed.new) == (len(parts(first.plan)), 0)
    assert followed.left_out == {}
    assert second.left is not None
    assert len(second.left) == 0


def test_a_face_that_an_earlier_release_cut_out_is_known_by_its_crop(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1, ["imagefolder"], crops=0.5)
    write(workspace, first, tmp_path / "first", 1)
    before = read_before(tmp_path / "first")
    names = first.contents.name.tolist()
    part = first.contents.part.tolist()
    seen = set()
    for path in (tmp_path / "first" / "recognition").rglob("*.jpg"):
        row = next(n for n, each in enumerate(names) if each.endswith(path.name))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        box = first.contents.corners[row]
        of_crop = crop_rectangle(box.tolist(), (10**6, 10**6), 0.5)
        inside = box - [of_crop.x1, of_crop.y1] * 2
        found, beside = before.known([sha256] * 2, np.array([inside, inside + 99]))
        assert found is not None
        assert (found[0].encode(), beside) == (first.contents.sha256[row], None)
        kind = before.faces[found]
        meant = {"train": Part.TRAIN, "probe": Part.PROBE}
        assert kind == meant.get(part[row], Part.DISTRACTOR)
        assert sha256 in (before.trained if kind == Part.TRAIN else before.tested)
        seen.add(kind)
    assert len(seen) == 3


def test_a_picture_stays_on_its_side_whatever_boxes_it_has_now(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    redrawn(workspace, 70.0)
    with workspace.catalogue.write() as connection:  # nor is it known by its boxes
        for table in (verified_box, box_task):
            connection.execute(sa.delete(table))

    def pictures(plan: Plan, *names: str) -> set[bytes]:
        faces, sha256 = plan.selection.faces, plan.selection.pictures.sha256
        rows = np.concatenate([getattr(plan.splits, name) for name in names])
        found = set(sha256[faces.picture[rows]].tolist())
        for name in names:
            if name in ("train", "probes"):
                side = "detection_train" if name == "train" else "detection_test"
                found |= set(sha256[getattr(plan.splits, side)].tolist())
        return found

    test = ("probes", "distractors")
    for seed in range(4):
        second = prepare(workspace, seed, after=tmp_path / "first").plan
        assert not pictures(first.plan, "train") & pictures(second, *test)
        assert not pictures(first.plan, *test) & pictures(second, "train")


def test_a_distractor_that_is_merged_into_one_with_probes_is_counted(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    faces, splits = first.plan.selection.faces, first.plan.splits
    row = int(splits.distractors[0])
    probed = set(faces.identity[splits.probes].tolist())
    unseen = min(probed - set(faces.identity[splits.train].tolist()))
    run_id = workspace.begin_run("test")
    with workspace.catalogue.write() as connection:
        merges.merge(connection, run_id, int(faces.identity[row]), unseen)
    second = prepare(workspace, 1, after=tmp_path / "first")
    followed, old = second.plan.followed, parts(first.plan)
    assert parts(second.plan)[int(faces.face[row])] == "probes"
    assert followed is not None
    assert followed.now_probes == 1
    assert followed.kept + sum(followed.left_out.values()) + 1 == len(old)
    assert json.loads(second.summary)["after"]["now_probes"] == 1


def detection_parts(plan: Plan) -> dict[str, set[bytes]]:
    sha256, splits = plan.selection.pictures.sha256, plan.splits
    sides = {"train": splits.detection_train, "test": splits.detection_test}
    return {side: set(sha256[rows].tolist()) for side, rows in sides.items()}


def test_of_pictures_that_turn_out_to_be_of_one_track_only_the_tested_one_stays(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    faces, old = first.plan.selection.faces, detection_parts(first.plan)
    sha256 = first.plan.selection.pictures.sha256[faces.picture]
    in_train = {name: faces.face[sha256 == name] for name in sorted(old["train"])}
    in_test = {name: faces.face[sha256 == name] for name in sorted(old["test"])}
    trained, tested = next(iter(in_train)), next(iter(in_test))
    pair = sorted(int(each[0]) for each in (in_train[trained], in_test[tested]))
    link = {"face_id": pair[0], "other_id": pair[1], "same": True}
    with workspace.catalogue.write() as connection:
        connection.execute(sa.insert(schema.face_link).values(**link))
    for seed in range(3):
        new = detection_parts(prepare(workspace, seed, after=tmp_path / "first").plan)
        assert not old["train"] & new["test"]
        assert not old["test"] & new["train"]
        assert tested in new["test"]
        assert old["train"] - new["train"] == {trained}


def test_who_is_new_on_an_old_training_picture_trains_though_the_filter_drops_it(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.read() as connection:
        selection = select(connection)
    problem, ids, complete = make_problem(selection)
    faces, pictures = selection.faces, selection.pictures
    sha256 = pictures.sha256[faces.picture[0]].decode()
    x1, y1, x2, y2 = faces.corners[0].tolist()
    known = {(sha256, (x1, y1, x2, y2)): Part.TRAIN}
    before = Before("", known, {}, {}, {}, as_contents([]))
    new = int(problem.faces.identity[-1])
    shown = Undivided(problem.faces.picture[:1], np.array([new]))
    for undivided, role in ((problem.undivided, Role.NEW), (shown, Role.TRAIN)):
        drawn = replace(problem, undivided=undivided)
        fixed = fix(drawn, selection, ids, complete, before, REACH)
        assert fixed.cast.before[new] == role


def test_old_faces_that_cannot_stay_are_counted_by_reason(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    faces = first.plan.selection.faces.face[first.plan.splits.train][:2].tolist()
    for face_id, reason in zip(
        faces, (FaceReason.LOW_SCORE, FaceReason.TAKEN_DOWN), strict=True
    ):
        with workspace.catalogue.write() as connection:
            change = sa.update(schema.face).where(schema.face.c.id == face_id)
            connection.execute(change.values(reason=reason.value))
    followed = prepare(workspace, 1, after=tmp_path / "first").plan.followed
    assert followed is not None
    assert followed.left_out == {"gone": 1, "low_score": 1}


def suspect(workspace: Workspace, one: int, other: int, status: ReviewStatus) -> None:
    """Let the filter suspect that two characters are one."""
    character = schema.character
    first, second = sorted((one, other))
    with workspace.catalogue.write() as connection:
        query = sa.select(character.c.id, character.c.reference_face_id)
        chosen = dict(connection.execute(query).all())
        review = {
            "kind": Suspicion.MERGE.value,
            "character_id": first,
            "face_id": chosen[first],
            "other_character_id": second,
            "other_face_id": chosen[second],
            "score": 0.8,
            "status": status.value,
            "found_at": 1.0,
            "changed_at": 1.0,
        }
        connection.execute(sa.delete(schema.review))
        connection.execute(sa.insert(schema.review).values(**review))


def as_imported(workspace: Workspace, source: str) -> None:
    """Enter the batch that an import writes, called as the source of its characters."""
    row = {"id": source, "format": "icartoonface", "path": ""}
    with workspace.catalogue.write() as connection:
        made = sa.insert(schema.batch).values(**row, questions=0, created_at=1.0)
        connection.execute(made)


def test_a_suspicion_nobody_was_asked_about_moves_nothing_of_an_imported_release(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    plan = first.plan
    identity = plan.selection.faces.identity
    trained = set(identity[plan.splits.train].tolist())
    distractor = int(identity[plan.splits.distractors[0]])
    one = min(trained - set(identity[plan.splits.probes].tolist()))
    suspect(workspace, one, distractor, ReviewStatus.OPEN)
    own = Unused.MAY_BE_HELD_OUT.value
    # A harvest's characters are kept on one side until people have settled it.
    harvested = prepare(workspace, 2, after=tmp_path / "first")
    assert harvested.plan.followed is not None
    assert harvested.plan.followed.left_out[own] > 0
    assert harvested.plan.followed.doubted == ()
    # One that names them as two, as it is in the earlier release, is believed.
    as_imported(workspace, "test")
    imported = prepare(workspace, 2, after=tmp_path / "first")
    assert imported.plan.followed is not None
    assert imported.plan.followed.left_out == {}
    assert parts(imported.plan) == parts(plan)
    names = plan.selection.identities
    pair = tuple(f"{names[n].album}/{names[n].character}" for n in (one, distractor))
    assert {*imported.plan.followed.doubted[0]} == {*pair}
    assert json.loads(imported.summary)["after"]["doubted"] == 1
    assert imported.inputs != harvested.inputs
    # Not where there is no earlier release to be like, nor once people were asked.
    alone = prepare(workspace, 1).plan
    rows = np.concatenate((alone.splits.probes, alone.splits.distractors))
    train = set(alone.selection.faces.identity[alone.splits.train].tolist())
    test = set(alone.selection.faces.identity[rows].tolist())
    assert not ({one, distractor} & train and {one, distractor} & (test - train))
    for status in (ReviewStatus.ASKED, ReviewStatus.UNSURE):
        suspect(workspace, one, distractor, status)
        asked = prepare(workspace, 2, after=tmp_path / "first").plan.followed
        assert asked is not None
        assert asked.left_out[own] > 0


def test_a_new_character_that_may_be_a_held_out_one_is_not_trained_on(
    workspace: Workspace, tmp_path: Path
) -> None:
    as_imported(workspace, "test")
    with workspace.catalogue.read() as connection:
        owner = schema.question.c.character_id
        last = int(connection.execute(sa.select(sa.func.max(owner))).scalar_one())
    with workspace.catalogue.write() as connection:
        of_last = sa.update(schema.question).where(
            schema.question.c.character_id == last
        )
        connection.execute(of_last.values(label=Label.OPEN.value))
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    label_all(workspace)
    identity = first.plan.selection.faces.identity
    distractor = int(identity[first.plan.splits.distractors[0]])
    assert last not in identity
    suspect(workspace, last, distractor, ReviewStatus.OPEN)
    second = prepare(workspace, 2, after=tmp_path / "first").plan
    train = second.selection.faces.identity[second.splits.train]
    assert last in second.selection.faces.identity
    assert last not in train


def test_what_a_release_between_left_out_stays_where_it_was_before(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "1", 1)
    # Some faces of each part, and all of some characters, are nobody's for a while.
    unlabel(workspace, slice(0, None, 3))
    unlabel(workspace, slice(-20, None))
    second = prepare(workspace, 2, after=tmp_path / "1")
    write(workspace, second, tmp_path / "2", 2)
    label_all(workspace)
    third = prepare(workspace, 3, after=tmp_path / "2")
    old, between, new = (parts(each.plan) for each in (first, second, third))
    returned = old.keys() & new.keys() - between.keys()
    assert {old[each] for each in returned} == set(PARTS)
    assert {each: new[each] for each in old.keys() & new.keys()} == {
        each: old[each] for each in old.keys() & new.keys()
    }
    assert len(returned) > 20
    assert len(old.keys() - new.keys()) <= 0.05 * len(old)
    assert first.plan.labels.items() <= third.plan.labels.items()
    assert not verify(tmp_path / "2").faults
    followed = third.plan.followed
    assert followed is not None
    assert followed.kept + sum(followed.left_out.values()) == len(between)
    assert followed.new == len(new.keys() - between.keys())
    # Who cleans a copy of what was withdrawn finds it there, too.
    hashes = third.contents.sha256.astype("U64").tolist()
    known = read_contents(tmp_path / "2" / "earlier.csv").sha256.astype("U64")
    one = next(each for each in hashes if each in known.tolist())
    none: frozenset[str] = frozenset()
    clean(tmp_path / "2", Withdrawn(frozenset({one}), none, none))
    left = read_contents(tmp_path / "2" / "earlier.csv").sha256.astype("U64").tolist()
    assert 0 < len(left) < len(known)
    assert one not in left
    assert not verify(tmp_path / "2").faults
    # It says so if it is changed: else a probe could be trained on.
    cut_rows(tmp_path / "2" / "earlier.csv", 1)
    with pytest.raises(BadInput, match=r"has changed its earlier\.csv"):
        read_before(tmp_path / "2")


def test_what_is_new_and_near_an_old_training_picture_is_not_tested(
    workspace: Workspace, tmp_path: Path
) -> None:
    unlabel(workspace, slice(0, None, 4))
    first = prepare(workspace, 1)
    write(workspace, first, tmp_path / "first", 1)
    label_all(workspace)
    with workspace.catalogue.read() as connection:
        selection = select(connection)
    old = parts(first.plan)
    faces, pictures = selection.faces, selection.pictures
    is_new = np.array([each not in old for each in faces.face.tolist()])
    trained = np.flatnonzero([old.get(each) == "train" for each in faces.face.tolist()])
    # All new pictures are now nearly one that was trained on.
    hashes = pictures.hashes[np.arange(len(pictures.image))]
    moved = np.setdiff1d(faces.picture[is_new], faces.picture[~is_new])
    for each in (hashes.phash, hashes.dhash):
        each[moved] = each[faces.picture[trained[0]]] ^ 1
    changed = replace(selection, pictures=replace(pictures, hashes=hashes))
    plan = make_plan(
        changed,
        workspace.settings.dataset,
        REACH,
        1,
        read_before(tmp_path / "first"),
    )
    new = parts(plan)
    added = [new[each] for each in new if each not in old]
    assert added
    assert set(added) == {"train"}
    assert all(new.get(each, part) == part for each, part in old.items())


def test_a_folder_that_is_no_release_is_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(WrongUse, match="it is no release"):
        prepare(workspace, 1, after=tmp_path)


@pytest.mark.parametrize(
    ("label", "everywhere", "said"),
    [
        ("99999999999", True, "line 2: the label 99999999999 is far above its "),
        ("99999999999", False, "line 3: the label 0 of .* has the label 99999999999"),
        ("1", True, "line OTHER: the label 1 of .* is that of .* above"),
    ],
)
def test_a_label_that_no_release_has_is_refused_with_its_line(
    workspace: Workspace, tmp_path: Path, label: str, everywhere: bool, said: str
) -> None:
    write(workspace, prepare(workspace, 1), tmp_path / "first", 1)
    path = tmp_path / "first" / "contents.csv"
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    at = header.index("label")
    # How many faces the detector finds of a character differs between processors.
    other = 2 + next(n for n, each in enumerate(rows) if each[at] == "1")
    first = [each for each in rows if each[at] == rows[0][at]]
    for each in first if everywhere else first[:1]:
        each[at] = label
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    write_sums(tmp_path / "first", {})
    with pytest.raises(BadInput, match=rf"csv: {said.replace('OTHER', str(other))}"):
        read_before(tmp_path / "first")
