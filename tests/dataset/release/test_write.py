from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.app.why import explain
from icf.catalogue import schema
from icf.catalogue.annotation.schema import box_task
from icf.codes import Label
from icf.dataset.contents import read_contents
from icf.dataset.inputs import RULE, hash_inputs
from icf.dataset.near_duplicates import Reach
from icf.dataset.release.prepare import prepare
from icf.dataset.release.searched import find_leaks
from icf.dataset.release.sums import read_sums
from icf.dataset.release.write import write
from icf.dataset.scores.recognition.identification import score_identification
from icf.dataset.selecting.select import select
from icf.errors import BadInput, IcfError, WrongUse
from icf.icartoonface.detection import (
    read_dettest_csv,
    read_dettrain_csv,
)
from icf.icartoonface.features import read_features
from icf.icartoonface.recognition import (
    read_rectest_info,
    read_rectrain_det,
    write_rectest_info,
)
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    FEATURES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
    UNASKED,
)
from icf.stores.blobs import MissingBlob
from icf.workspace import Workspace, find
from tests.app.doctor.damages import flip_a_bit, zero
from tests.dataset.drawn import EMBEDDER, digest, same_files


@pytest.fixture
def released(workspace: Workspace, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    assert write(workspace, prepare(workspace, 1), out, 1)
    return out


def set_labels(workspace: Workspace, label: Label) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.question).values(label=label.value))


def build(workspace: Workspace, out: Path, *more: str) -> subprocess.Popen[bytes]:
    words = [str(Path(sys.executable).parent / "icf-build-splits"), str(out), *more]
    return subprocess.Popen(
        words, cwd=workspace.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_inputs_are_hashed_as_earlier_versions_did_only_for_their_releases(
    workspace: Workspace, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules: list[int] = []

    def noting(*about: Any) -> str:
        rules.append(about[4])
        return hash_inputs(*about)

    monkeypatch.setattr("icf.dataset.release.prepare.hash_inputs", noting)
    assert not write(workspace, prepare(workspace, 1), released, 1)
    assert rules == [RULE]
    summary = json.loads((released / "release.json").read_text())
    del summary["rule"]
    # The one that it is, where a line of its summary is lost.
    for inputs, message in (("x", "another release"), (None, "is this release, but")):
        prepared = prepare(workspace, 1)
        summary["inputs"] = inputs or prepared.earlier_inputs()
        (released / "release.json").write_text(json.dumps(summary))
        with pytest.raises(IcfError, match=message):
            write(workspace, prepared, released, 1)
    assert set(rules) == {RULE, 1}


def test_the_lists_name_exactly_the_pictures_of_the_release(
    released: Path,
) -> None:
    train = read_rectrain_det(released / RECTRAIN_LIST)
    info = read_rectest_info(released / RECTEST_INFO)
    lists = {
        RECTRAIN_FOLDER: train.paths,
        RECTEST_FOLDER: info.files,
        DETTRAIN_FOLDER: read_dettrain_csv(released / DETTRAIN_BOXES).pictures,
        DETTEST_FOLDER: read_dettest_csv(released / DETTEST_BOXES).pictures,
    }
    for folder, names in lists.items():
        assert names
        assert sorted(names) == sorted(digest(released / folder))


def test_the_pictures_have_the_bytes_that_were_fetched_and_a_licence_each(
    released: Path,
) -> None:
    with (released / "licences.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = [p for p in digest(released) if p.endswith(".jpg")]
    assert sorted(row["file"] for row in rows) == sorted(pictures)
    for row in rows:
        data = (released / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert row["url"].startswith("http://toons.test/")
        assert row["licence"]
        assert row["author"] == "'=A. Drawer"


def test_the_test_list_has_pairs_and_is_scored_straight_away(released: Path) -> None:
    path = released / RECTEST_INFO
    info = read_rectest_info(path)
    assert len(info.pairs)
    features = read_features(released / FEATURES, len(info.files))
    assert 50 < score_identification(info, features).rank1 <= 100
    again = path.with_name("again.txt")
    write_rectest_info(again, info)
    assert again.read_bytes() == path.read_bytes()


def test_features_are_those_of_the_faces_in_the_order_of_the_list(
    workspace: Workspace, released: Path
) -> None:
    plan = prepare(workspace, 1).plan
    faces = plan.selection.faces.face[[each.face for each in plan.test]]
    info = read_rectest_info(released / RECTEST_INFO)
    assert tuple(each.path for each in plan.test) == info.files
    expected = workspace.vectors.get(EMBEDDER, faces)
    found = read_features(released / FEATURES, len(info.files))
    np.testing.assert_array_equal(found, expected)


def test_release_json_has_seed_models_settings_and_counts(released: Path) -> None:
    summary = json.loads((released / "release.json").read_text())
    info = read_rectest_info(released / RECTEST_INFO)
    assert summary["seed"] == 1
    assert summary["models"]["embedder"]["sha256"] == EMBEDDER
    assert summary["settings"]["dataset"]["min_faces"] == 5
    assert summary["counts"]["distractors"] == int((info.labels == -1).sum())
    assert summary["counts"]["probes"] == int((info.labels >= 0).sum())
    assert not any(summary["leaks"].values())
    assert json.loads((released / "leaks.json").read_text())["checks"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    workspace: Workspace, released: Path, tmp_path: Path
) -> None:
    write(workspace, prepare(workspace, 1), tmp_path / "again", 1)
    write(workspace, prepare(workspace, 2), tmp_path / "other", 2)
    assert same_files(released, tmp_path / "again")
    assert not same_files(released, tmp_path / "other")


def test_a_second_run_finds_the_very_same_release_and_notes_it_once(
    workspace: Workspace, released: Path
) -> None:
    before = digest(released)
    assert not write(workspace, prepare(workspace, 1), released, 1)
    assert digest(released) == before
    with workspace.catalogue.read() as connection:
        rows = connection.execute(sa.select(schema.release)).all()
    assert [(row.path, row.seed) for row in rows] == [(str(released), 1)]


def test_where_the_models_lie_does_not_change_the_release(workspace: Workspace) -> None:
    moved = find(
        workspace.root, ("filter.detector=/m/d.onnx", "filter.embedder=e.json")
    )
    assert prepare(moved, 1).inputs == prepare(workspace, 1).inputs


def test_a_folder_that_holds_something_else_is_refused(
    workspace: Workspace, released: Path, tmp_path: Path
) -> None:
    with pytest.raises(WrongUse, match="another release"):
        write(workspace, prepare(workspace, 2), released, 2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    with pytest.raises(WrongUse, match="no release"):
        write(workspace, prepare(workspace, 1), tmp_path / "mine", 1)
    for file in ("notes.txt", "notes.txt/release"):
        with pytest.raises(WrongUse, match=r"notes\.txt is a file"):
            write(workspace, prepare(workspace, 1), tmp_path / "mine" / file, 1)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep me"


def test_no_release_is_made_while_answers_wait(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        first = sa.select(schema.answer.c.id).limit(1).scalar_subquery()
        waits = sa.update(schema.answer).where(schema.answer.c.id == first)
        changed = connection.execute(waits.values(waits=True)).rowcount
    assert changed == 1
    with pytest.raises(WrongUse, match="icf-annotate status"):
        prepare(workspace, 1)


def test_an_empty_folder_is_taken(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert write(workspace, prepare(workspace, 1), tmp_path / "empty", 1)
    assert (tmp_path / "empty" / "release.json").exists()


def test_no_labels_yet_sends_people_to_annotate(workspace: Workspace) -> None:
    set_labels(workspace, Label.OPEN)
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(box_task).values(status="open"))
    with pytest.raises(WrongUse, match=r"none is labelled 'same'.*icf-annotate import"):
        prepare(workspace, 1)


def test_a_catalogue_without_anything_is_no_crash(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(sa.delete(table))
    with pytest.raises(WrongUse, match="icf-harvest run"):
        prepare(workspace, 1)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [Path.unlink, flip_a_bit, zero])
def test_a_release_that_is_there_and_not_whole_is_not_taken_for_it(
    workspace: Workspace, released: Path, damage: Callable[[Path], object]
) -> None:
    prepared = prepare(workspace, 1)
    (released / "notes.txt").write_text("a user's own")
    assert not write(workspace, prepared, released, 1)
    picture = released / RECTEST_FOLDER / prepared.plan.test[0].path
    damage(picture)
    damage(released / RECTEST_INFO)
    with pytest.raises(BadInput, match="is this release, but 2 of its files") as caught:
        write(workspace, prepared, released, 1)
    assert picture.name in str(caught.value)
    assert "icf release verify" in str(caught.value)


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(
    "damage",
    [Path.unlink, cut_off, flip_a_bit, zero, lambda path: path.write_bytes(b"")],
)
def test_a_lost_or_damaged_blob_is_named_and_leaves_no_release(
    workspace: Workspace, tmp_path: Path, damage: Callable[[Path], object], link: bool
) -> None:
    prepared = prepare(workspace, 1)
    picture = prepared.plan.test[0].picture
    sha256 = prepared.plan.selection.pictures.sha256[picture].decode()
    damage(workspace.blobs.path(sha256))
    with pytest.raises(MissingBlob, match=f"{sha256}.*`icf doctor --repair`"):
        write(workspace, prepared, tmp_path / "out", 1, link=link)
    assert not list(tmp_path.glob("*out*"))


def test_editing_a_release_does_not_change_the_blob_store(
    workspace: Workspace, released: Path, tmp_path: Path
) -> None:
    prepared = prepare(workspace, 1)
    write(workspace, prepared, tmp_path / "copied", 1)
    write(workspace, prepared, tmp_path / "linked", 1, link=True)
    assert same_files(tmp_path / "copied", tmp_path / "linked")
    each = prepared.plan.train[0]
    blob = workspace.blobs.path(
        prepared.plan.selection.pictures.sha256[each.picture].decode()
    )
    before = blob.read_bytes()
    name = f"{RECTRAIN_FOLDER}/{each.path}"
    assert blob.samefile(tmp_path / "linked" / name)
    with (tmp_path / "copied" / name).open("r+b") as file:
        file.write(b"edited")
    assert blob.read_bytes() == before


def test_a_face_confirmed_for_two_characters_belongs_to_neither(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.write() as connection:
        first = connection.execute(
            sa.select(schema.question).where(schema.question.c.label == "same")
        ).first()
        assert first is not None
        other = {**first._mapping, "id": 10**6, "character_id": 9}
        connection.execute(sa.insert(schema.question).values(other))
    selection = prepare(workspace, 1).plan.selection
    assert selection.left_out["confirmed_for_two_characters"] == 1
    assert first.face_id not in selection.faces.face


def test_references_that_nobody_was_asked_about_are_named_or_left_out(
    workspace: Workspace, released: Path, tmp_path: Path
) -> None:
    counts = json.loads((released / "release.json").read_text())["counts"]
    confirmed, unasked = counts["confirmed_faces"], counts["unasked_references"]
    assert unasked == 15
    readme = (released / "README.md").read_text()
    assert f"identity of {confirmed} faces. {unasked} are references" in readme
    assert "every face was" not in readme
    with workspace.catalogue.read() as connection:
        asked = sa.select(schema.question.c.face_id)
        faces = set(connection.execute(asked).scalars())
        without = select(connection, unasked_references=False)
    with (released / UNASKED).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert 0 < len(rows) <= unasked
    assert faces.isdisjoint(int(row["face"]) for row in rows)
    assert all((released / row["file"]).is_file() for row in rows)
    assert faces.issuperset(without.faces.face.tolist())
    assert without.left_out["unasked_references"] == unasked
    # Asked about, or chosen by a person, none is left to name.
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.character).values(reference_by="hand"))
    again = tmp_path / "again"
    assert write(workspace, prepare(workspace, 1), again, 1)
    assert "every face was\nconfirmed by people" in (again / "README.md").read_text()
    assert not (again / UNASKED).exists()


def test_what_people_call_no_face_is_not_proposed_as_truth(
    workspace: Workspace,
) -> None:
    before = prepare(workspace, 1, boxes="proposed").plan.selection
    face_id = int(before.faces.face[0])
    with workspace.catalogue.write() as connection:
        connection.execute(
            sa.update(schema.face)
            .where(schema.face.c.id == face_id)
            .values(verdict="dropped", reason="not_a_face")
        )
    after = prepare(workspace, 1, boxes="proposed").plan.selection
    boxes = {box.face_id for some in after.pictures.boxes for box in some}
    assert face_id not in {*after.faces.face.tolist(), *boxes}


def test_of_proposed_boxes_pictures_with_a_face_nobody_confirmed_are_left_out(
    workspace: Workspace,
) -> None:
    before = prepare(workspace, 1, boxes="proposed").plan
    picture = before.detection_test[0].picture
    image = int(before.selection.pictures.image[picture])
    with workspace.catalogue.write() as connection:
        found = sa.select(schema.face).where(schema.face.c.image_id == image)
        face = connection.execute(found).first()
        assert face is not None
        unasked = {**face._mapping, "id": 10**6}
        connection.execute(sa.insert(schema.face).values(unasked))
    after = prepare(workspace, 1, boxes="proposed").plan
    rows = [*after.detection_train, *after.detection_test]
    assert image not in {int(after.selection.pictures.image[r.picture]) for r in rows}


def test_a_leak_stops_the_release_and_nothing_is_written(
    workspace: Workspace, tmp_path: Path
) -> None:
    prepared = prepare(workspace, 1)
    splits = prepared.plan.splits
    leaky = replace(splits, train=np.append(splits.train, splits.probes[:1]))
    plan = replace(prepared.plan, splits=leaky)
    leaks = find_leaks(
        plan, Reach(10, 10), lambda ids: workspace.vectors.get(EMBEDDER, ids)
    )
    with pytest.raises(IcfError, match="same_bytes: 1") as caught:
        write(workspace, replace(prepared, plan=plan, leaks=leaks), tmp_path / "out", 1)
    assert caught.value.exit_code == 1
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment", [lambda parts: bool(parts), lambda parts: any(map(has_pictures, parts))]
)
def test_a_killed_build_leaves_no_release_and_the_next_one_is_whole(
    workspace: Workspace,
    released: Path,
    tmp_path: Path,
    moment: Callable[[list[Path]], bool],
) -> None:
    out = tmp_path / "killed"
    process = build(workspace, out)
    while process.poll() is None and not moment(list(tmp_path.glob(".killed.*"))):
        time.sleep(0.0005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    if process.returncode == -signal.SIGKILL and out.exists():
        assert same_files(out, released)
    done = build(workspace, out)
    done.communicate()
    assert done.returncode == 0
    assert same_files(out, released)
    assert not list(tmp_path.glob(".killed.*"))


def has_pictures(folder: Path) -> bool:
    return any(folder.glob("recognition/*/*.jpg"))


@pytest.mark.slow
def test_a_dry_run_counts_and_writes_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    process = build(workspace, tmp_path / "out", "--dry-run", "--json")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["counts"]["probes"] > 0
    assert not (tmp_path / "out").exists()
    with workspace.catalogue.read() as connection:
        assert not connection.execute(sa.select(schema.release)).first()


def test_the_detectors_boxes_are_written_with_their_scores(released: Path) -> None:
    truth = read_dettest_csv(released / DETTEST_BOXES)
    lines = (released / DETTEST_FOUND).read_text().splitlines()
    assert len(lines) == len(truth.corners)
    assert all(line.endswith(",face,0.9") for line in lines)
    assert (released / DETTEST_BOXES).read_bytes().count(b"\r\n") == len(lines)


def test_only_pictures_under_an_allowed_licence_are_released(
    workspace: Workspace,
) -> None:
    everything = prepare(workspace, 1)
    allowed = find(workspace.root, ("harvest.only_licence=CC BY*,CC0",))
    free = prepare(allowed, 1)
    licences = {each.licence for listed in free.sources.values() for each in listed}
    assert licences == {"CC0", "CC BY-SA 4.0"}
    left_out = free.plan.selection.left_out["other_licence"]
    assert left_out > 0
    assert everything.plan.selection.left_out["other_licence"] == 0
    faces = len(everything.plan.selection.faces.face)
    assert len(free.plan.selection.faces.face) == faces - left_out
    assert free.inputs != everything.inputs
    shown = json.loads(free.summary)["settings"]["harvest"]
    assert shown == {"only_licence": ["CC BY*", "CC0"]}


def test_a_licence_that_no_picture_is_under_is_said(workspace: Workspace) -> None:
    none = find(workspace.root, ("harvest.only_licence=GFDL",))
    with pytest.raises(WrongUse, match="under GFDL; `icf-harvest licences`"):
        prepare(none, 1)


def test_why_tells_of_the_releases_that_have_a_face(
    workspace: Workspace, released: Path
) -> None:
    plan = prepare(workspace, 1).plan
    probe = plan.test[0]
    subject = f"face:{plan.selection.faces.face[probe.face]}"

    def told() -> list[dict[str, str]]:
        with workspace.catalogue.read() as connection:
            found = explain(connection, subject, workspace.root)["image"]["releases"]
        assert isinstance(found, list)
        return found

    [shown] = told()
    assert (workspace.root / shown["release"]).resolve() == released.resolve()
    assert f"{RECTEST_FOLDER}/{probe.path}" in shown["files"].split(", ")
    released.rename(released.with_name("elsewhere"))
    assert told() == [
        {"release": shown["release"], "note": "it is not at that place now"}
    ]


def test_two_builds_at_once_write_one_after_the_other(
    workspace: Workspace, tmp_path: Path
) -> None:
    target = tmp_path / "both"
    prepared = {seed: prepare(workspace, seed) for seed in (1, 2)}

    def build(seed: int) -> str:
        try:
            return str(write(workspace, prepared[seed], target, seed))
        except WrongUse as error:
            return str(error)

    with ThreadPoolExecutor() as threads:
        ends = sorted(threads.map(build, prepared))
    assert ends[1] == "True"
    assert ends[0].startswith(f"{target} already holds another release")


def test_contents_list_every_picture_and_face_with_its_hashes(
    workspace: Workspace, released: Path
) -> None:
    plan = prepare(workspace, 1).plan
    contents = read_contents(released / "contents.csv")
    placed = list(plan.placed())
    assert contents.name.tolist() == [each.path for each in placed]
    assert len(contents.rows("train")) == plan.counts["train_faces"]
    assert len(contents.rows("probe")) == plan.counts["probes"]
    assert len(contents.rows("distractor")) == plan.counts["distractors"]
    faces = plan.selection.faces
    for row, each in enumerate(placed):
        if each.face < 0:
            assert np.isnan(contents.corners[row]).all()
            continue
        identity = plan.selection.identities[int(faces.identity[each.face])]
        assert contents.character[row] == identity.character
        assert contents.album[row] == identity.album
        assert contents.label[row] == each.label
        assert contents.corners[row].tolist() == faces.corners[each.face].tolist()
        assert contents.face_phash[row] == faces.hashes.phash[each.face]
    assert set(contents.confirmed_by.tolist()) == {"people", "reference", ""}


def test_the_sums_are_those_of_all_files(released: Path) -> None:
    assert read_sums(released) == {
        name: sha256
        for name, sha256 in digest(released).items()
        if name != "SHA256SUMS"
    }
