"""`icf import icartoonface`: from the published files to all that reads labels."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.init import make_workspace
from icf.catalogue import schema
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.labels.confirmed import read_confirmed
from icf.catalogue.labels.given_boxes import GIVEN, GIVEN_ALL
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.errors import BadInput
from icf.icartoonface import parts
from icf.icartoonface.recognition import read_rectrain_det
from icf.models.data.base import LabelledPicture
from icf.models.data.workspace import WorkspaceReader
from icf.workspace import Workspace, find
from tests.app.forked import Forked
from tests.app.program import call, program, said
from tests.icartoonface_files import (
    DETTRAIN,
    DETTRAIN_LIST,
    RECTRAIN,
    RECTRAIN_LIST,
    Published,
    identity_name,
    write_published,
)

ALL = {
    parts.TRAIN: 24,
    parts.TEST: 12,
    parts.DISTRACTORS: 3,
    parts.DETECTION_TRAIN: 4,
    parts.DETECTION_TEST: 3,
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("pub") / "published")


@pytest.fixture(scope="module")
def imported(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with all of it."""
    root = tmp_path_factory.mktemp("imported") / "space"
    make_workspace(root, (), "").catalogue.close()
    assert said("-C", root, "import", "icartoonface", published)["pictures"] == ALL
    return root


@pytest.fixture
def space(imported: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(imported, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()


@pytest.fixture
def own(published: Path, tmp_path: Path) -> Path:
    """The published files, to change."""
    return Path(shutil.copytree(published, tmp_path / "own"))


def bring(space: Workspace, folder: Path, *words: str) -> Any:
    return call("-C", space.root, "import", "icartoonface", folder, *words)


def rows_of(space: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the catalogue but those of runs."""
    with space.catalogue.read() as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(sa.select(table)))
            for name, table in schema.metadata.tables.items()
            if name not in ("run", "model")
        }


def labels_of(space: Workspace) -> Counter[tuple[str, str]]:
    """How many faces of each picture people confirmed as whom."""
    with space.catalogue.read() as connection:
        owners = read_confirmed(connection).owners
        query = sa.select(schema.face.c.id, schema.image.c.sha256).join(
            schema.image, schema.image.c.id == schema.face.c.image_id
        )
        pictures = {row.id: row.sha256 for row in connection.execute(query)}
        names = dict(
            connection.execute(
                sa.select(schema.character.c.id, schema.character.c.name)
            ).all()
        )
    return Counter((pictures[key], names[owner]) for key, owner in owners.items())


def trained_on(space: Workspace) -> list[LabelledPicture]:
    given = WorkspaceReader(space.root).pictures()
    return [each for each in given if isinstance(each, LabelledPicture)]


def detectors(space: Workspace) -> Counter[str]:
    with space.catalogue.read() as connection:
        return Counter(connection.execute(sa.select(schema.face.c.detector)).scalars())


def test_the_filter_and_a_release_take_it_as_anything_else(space: Workspace) -> None:
    steps = said("-C", space.root, "filter", "run")["steps"]
    assert steps["detect"]["passed"] == 0
    assert steps["aspect"]["passed"] == 46
    assert steps["identity"]["passed"] == 39
    prepared = prepare(space, 1)
    assert prepared.leaks.leaks == ()
    counts = prepared.plan.counts
    assert counts["confirmed_faces"] == 39
    # Of the pictures of the recognition set, one face alone has a box.
    detection = counts["detection_train_pictures"] + counts["detection_test_pictures"]
    assert detection == 7
    assert "Of 7 other pictures" in prepared.summary
    assert write(space, prepared, space.root / "out", 1)
    report = space.root / "report.html"
    assert call("-C", space.root, "report", report).exit_code == 0
    assert report.stat().st_size > 0


def test_moved_thresholds_bring_no_face_into_the_chain_that_nobody_named(
    space: Workspace,
) -> None:
    said("-C", space.root, "filter", "run")
    before = rows_of(space)["face"]
    said("-C", space.root, "filter", "rethreshold")
    assert rows_of(space)["face"] == before


def test_identities_are_the_folders(space: Workspace, published: Path) -> None:
    train = read_rectrain_det(published / RECTRAIN_LIST)
    shown = Counter(name for _, name in labels_of(space).elements())
    assert {name: shown[name] for name in set(train.identities)} == Counter(
        train.identities
    )


def test_an_answer_names_the_line_of_the_list(space: Workspace) -> None:
    query = sa.select(schema.answer).order_by(schema.answer.c.id)
    with space.catalogue.read() as connection:
        answers = connection.execute(query).all()
    train = [each for each in answers if each.file == RECTRAIN_LIST]
    assert [each.line for each in train] == list(range(1, 25))
    assert {each.annotator for each in answers} == {"iCartoonFace"}


def test_nothing_of_a_test_is_trained_on(space: Workspace, published: Path) -> None:
    pictures = trained_on(space)
    train = [each for each in pictures if not each.complete]
    assert len(train) == 24
    identities = {face.identity for each in train for face in each.faces}
    assert identities == {f"iCartoonFace/{identity_name(n)}" for n in range(4)}
    whole = [each for each in pictures if each.complete]
    assert sorted(len(each.faces) for each in whole) == [1, 1, 2, 2]
    assert all(each.checked for each in pictures)
    reader = WorkspaceReader(space.root)
    files = {path.read_bytes() for path in (published / DETTRAIN).iterdir()}
    assert {reader.read(each.key) for each in whole} == files


def test_the_numbers_of_the_test_may_name_training_folders(
    empty: Workspace, published: Path
) -> None:
    assert bring(empty, published, "--test-labels", "training").exit_code == 0
    names = Counter(name for _, name in labels_of(empty).elements())
    assert names[identity_name(0)] == 9
    assert names[identity_name(4)] == 3


def test_a_second_run_changes_nothing(space: Workspace, published: Path) -> None:
    before = rows_of(space)
    again = said("-C", space.root, "import", "icartoonface", published)
    assert again["known"] == 46
    assert again["pictures"] == {}
    assert rows_of(space) == before


def test_a_dry_run_counts_the_same_and_writes_nothing(
    empty: Workspace, published: Path
) -> None:
    before = rows_of(empty)
    said_first = said(
        "-C", empty.root, "import", "icartoonface", published, "--dry-run"
    )
    assert rows_of(empty) == before
    assert said("-C", empty.root, "import", "icartoonface", published) == said_first


def test_what_is_damaged_is_reported_and_the_rest_imported(
    empty: Workspace, own: Path
) -> None:
    folder = own / RECTRAIN / identity_name(0)
    cut, gone, text, *_ = sorted(folder.iterdir())
    cut.write_bytes(cut.read_bytes()[:300])
    gone.unlink()
    text.write_text("not a picture")
    path = own / DETTRAIN_LIST
    rows = path.read_text().splitlines()
    outside = rows[0].rpartition(",")[0].split(",")[0] + ",900,900,950,950"
    path.write_text("\n".join([*rows, outside, "nonsense"]))
    words = "import", "icartoonface", own, "--json"
    done = program("icf", *words, folder=empty.root, code=3)
    assert "4 lines or pictures could not be imported; all others are" in done.stderr
    assert len(labels_of(empty)) == 36
    found = json.loads(done.stdout)
    assert [each["where"] for each in found["faults"]] == [
        f"{own / RECTRAIN_LIST}, line 2",
        f"{path}, line {len(rows) + 2}",
        f"{own / RECTRAIN_LIST}, line 1",
        f"{own / RECTRAIN_LIST}, line 3",
    ]
    assert "truncated" in found["faults"][2]["why"]
    assert "not_image" in found["faults"][3]["why"]
    assert found["left_out"] == {"a box outside its picture": 1}


def test_boxes_without_area_alone_are_no_failure(empty: Workspace, own: Path) -> None:
    path = own / DETTRAIN_LIST
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows, rows[0].split(",")[0] + ",5,5,5,9"]))
    done = said("-C", empty.root, "import", "icartoonface", own)
    assert done["left_out"] == {"a box without area": 1}
    assert detectors(empty) == {GIVEN: 40, GIVEN_ALL: 9}


def in_both_sets(own: Path) -> str:
    """Let a training picture be one of the detection set too; return its name."""
    train = read_rectrain_det(own / RECTRAIN_LIST)
    name = f"personai_{DETTRAIN}_00009.jpg"
    shutil.copyfile(own / RECTRAIN / train.paths[0], own / DETTRAIN / name)
    x1, y1, x2, y2 = train.boxes[0].tolist()
    with (own / DETTRAIN_LIST).open("a") as file:
        file.write(f"{name},{x1 + 2},{y1 - 2},{x2 + 1},{y2}\n")
    return name


@pytest.mark.parametrize("first", ["recognition", "detection"])
def test_a_picture_of_both_sets_has_each_face_once(
    first: str, empty: Workspace, own: Path, tmp_path: Path
) -> None:
    in_both_sets(own)
    sets = {
        "recognition": [RECTRAIN, RECTRAIN_LIST],
        "detection": [DETTRAIN, DETTRAIN_LIST],
    }
    for number, some in enumerate([sets.pop(first), *sets.values()]):
        part = tmp_path / f"part{number}"
        part.mkdir()
        for name in some:
            (own / name).rename(part / name)
        assert bring(empty, part).exit_code == 0
    assert detectors(empty) == {GIVEN: 23, GIVEN_ALL: 7}
    [both] = [
        each
        for each in trained_on(empty)
        if each.complete and each.faces[0].identity is not None
    ]
    assert both.faces[0].identity == f"iCartoonFace/{identity_name(0)}"
    assert len(both.faces) == 1
    steps = said("-C", empty.root, "filter", "run")["steps"]
    assert steps["identity"]["passed"] == 24


def test_a_picture_published_as_two_identities_is_of_neither(
    empty: Workspace, own: Path
) -> None:
    train = read_rectrain_det(own / RECTRAIN_LIST)
    one, other = train.paths[0], train.paths[-1]
    shutil.copyfile(own / RECTRAIN / one, own / RECTRAIN / other)
    rows = (own / RECTRAIN_LIST).read_text().splitlines()
    rows[-1] = rows[0].replace(one, other)
    (own / RECTRAIN_LIST).write_text("\n".join(rows))
    assert bring(empty, own).exit_code == 0
    with empty.catalogue.read() as connection:
        found = read_confirmed(connection)
    assert len(found.ambiguous) == 1
    assert len(found.owners) == 37


def test_a_picture_that_the_harvest_brought_gets_the_given_boxes(
    empty: Workspace, own: Path
) -> None:
    config = empty.root / "icf.toml"
    pictures = empty.root / "pictures" / "Album" / "Character"
    pictures.mkdir(parents=True)
    train = read_rectrain_det(own / RECTRAIN_LIST)
    shutil.copyfile(own / RECTRAIN / train.paths[0], pictures / "one.jpg")
    config.write_text('[[source]]\nname = "mine"\nkind = "folder"\npath = "pictures"\n')
    assert call("-C", empty.root, "harvest", "run").exit_code == 0
    empty.catalogue.close()
    assert bring(empty, own).exit_code == 0
    steps = said("-C", empty.root, "filter", "run")["steps"]
    assert steps["detect"]["passed"] == 0
    assert sum(detectors(empty).values()) == 49
    assert len(labels_of(empty)) == 39


def test_what_was_withdrawn_stays_away(space: Workspace, published: Path) -> None:
    address = f"icartoonface://{RECTRAIN}/"
    path = read_rectrain_det(published / RECTRAIN_LIST).paths[0]
    gone = call(
        *("-C", space.root, "takedown", address + path, "--reason", "asked", "--yes")
    )
    assert gone.exit_code == 0, gone.output
    again = said("-C", space.root, "import", "icartoonface", published)
    assert again["withdrawn"] == 1
    assert len(labels_of(space)) == 38


def test_a_character_that_was_withdrawn_stays_away(
    space: Workspace, published: Path
) -> None:
    name = f"iCartoonFace/{identity_name(0)}"
    gone = call("-C", space.root, "takedown", name, "--reason", "asked", "--yes")
    assert gone.exit_code == 0, gone.output
    again = said("-C", space.root, "import", "icartoonface", published)
    assert again["withdrawn"] == 6
    assert identity_name(0) not in {name for _, name in labels_of(space)}


def test_the_ledger_names_the_line_of_the_list(space: Workspace) -> None:
    why = said("-C", space.root, "why", "image:1")
    assert [each["message"] for each in why["decisions"]] == [
        f"{RECTRAIN_LIST}, line 1"
    ]
    assert why["sources"][0]["source"] == parts.TRAIN


def test_bytes_that_were_lost_are_brought_back(
    space: Workspace, published: Path
) -> None:
    before = rows_of(space)
    key = trained_on(space)[0].key
    space.blobs.remove(key)
    again = said("-C", space.root, "import", "icartoonface", published)
    assert (again["known"], again["labels"], again["faces"]) == (45, 0, 0)
    assert space.blobs.is_whole(key)
    after = rows_of(space)
    assert after["question"] == before["question"]
    assert after["face"] == before["face"]


def test_the_command_says_what_comes_next(empty: Workspace, published: Path) -> None:
    done = bring(empty, published)
    assert "icf-filter run" in done.stderr
    assert "pictures of iCartoonFace train" in done.stdout


def test_a_folder_of_something_else_is_refused(
    empty: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    words = "import", "icartoonface", tmp_path / "other"
    done = program("icf", *words, folder=empty.root, code=1)
    assert "the archives must be unpacked" in done.stderr


def test_lists_without_a_picture_are_refused(empty: Workspace, own: Path) -> None:
    for each in own.glob("*.*"):
        each.write_bytes(b"")
    with pytest.raises(BadInput, match=r"a picture that is in no list \(46\)"):
        bring(empty, own)


@pytest.mark.slow
def test_a_killed_import_is_completed(tmp_path: Path) -> None:
    size = Published(identities=30, pictures=5, detection_train=20, detection_test=10)
    folder = write_published(tmp_path / "published", size)
    spaces: list[Workspace] = []
    for name in ("undisturbed", "killed"):
        spaces.append(make_workspace(tmp_path / name, (), ""))
    undisturbed, killed = spaces
    assert bring(undisturbed, folder).exit_code == 0
    for least in (1, 65):
        kill_when(killed, folder, least)
    assert bring(killed, folder).exit_code == 0
    assert labels_of(killed) == labels_of(undisturbed)
    assert detectors(killed) == detectors(undisturbed)
    for name in ("image", "image_source", "candidate", "url", "mention", "character"):
        one, other = rows_of(killed)[name], rows_of(undisturbed)[name]
        assert len(one) == len(other)


def kill_when(space: Workspace, folder: Path, least: int) -> None:
    """Start an import, and kill it when the catalogue has so many pictures."""
    count = sa.select(sa.func.count()).select_from(schema.image)
    words = ("-C", space.root, "import", "icartoonface", folder)
    process = Forked("icf", *words, folder=space.root)
    while process.poll() is None:
        with space.catalogue.read() as connection:
            if connection.execute(count).scalar_one() >= least:
                break
        time.sleep(0.002)
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_postgresql_has_the_same_labels(
    space: Workspace,
    published: Path,
    tmp_path: Path,
    postgres_catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected, pictures = labels_of(space), trained_on(space)
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_catalogue.url)
    other = make_workspace(tmp_path / "other", (), "")
    for known in (0, 46):
        words = "import", "icartoonface", published, "--json"
        done = program("icf", *words, folder=other.root)
        assert json.loads(done.stdout)["known"] == known
    assert labels_of(other) == expected
    assert trained_on(other) == pictures
    other.catalogue.close()
