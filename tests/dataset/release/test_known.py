from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.cli.release.show import cli as show
from icf.dataset.contents import read_contents, write_contents
from icf.dataset.release.difference import compare
from icf.dataset.release.known import (
    known_releases,
    read_summary,
    revoke,
)
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import write_sums
from icf.dataset.release.write import write
from icf.dataset.takedowns.clean import clean
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.verify.verify import verify
from icf.errors import BadInput, WrongUse
from icf.icartoonface.revoked import revocation, revocation_above, warning_of
from icf.workspace import Workspace, find
from tests.app.program import invoke
from tests.dataset.drawn import cut_rows


@pytest.fixture
def released(workspace: Workspace) -> Path:
    out = workspace.root / "releases" / "one"
    write(workspace, prepare(workspace, 1), out, 1)
    return out


def test_known_releases_say_where_they_are_and_whether_they_are_there(
    workspace: Workspace, released: Path
) -> None:
    write(workspace, prepare(workspace, 2), released.with_name("two"), 2)
    shutil.rmtree(released)
    one, two = known_releases(workspace)
    assert [one.is_there, two.is_there] == [False, True]
    said = two.as_json
    assert said["path"] == str(released.with_name("two"))
    assert said["id"] == read_summary(released.with_name("two"))["inputs"]
    assert said["seed"] == 2
    assert said["formats"] == ["icartoonface"]
    assert said["revoked"] is None
    assert said["created"].endswith("+00:00")


def test_a_cleaned_release_is_there_and_can_be_revoked(
    workspace: Workspace, released: Path
) -> None:
    write(workspace, prepare(workspace, 2), released.with_name("two"), 2)
    contents = read_contents(released / "contents.csv")
    gone = frozenset([contents.sha256[0].decode()])
    assert clean(released, Withdrawn(gone, frozenset(), frozenset())).rows
    assert [each.is_there for each in known_releases(workspace)] == [True, True]
    revoke(workspace, released.rename(released.with_name("moved")), "two were mixed")
    one, two = known_releases(workspace)
    assert (one.revoked_because, two.revoked_because) == ("two were mixed", None)
    shutil.rmtree(two.path)
    shutil.copytree(released.with_name("moved"), two.path)
    assert [each.is_there for each in known_releases(workspace)] == [False, False]


def test_a_revoked_release_says_so_in_the_catalogue_and_in_its_folder(
    workspace: Workspace, released: Path
) -> None:
    assert revocation(released) is None
    moved = released.rename(released.with_name("moved"))
    revoke(workspace, moved, "two albums were mixed up")
    revoke(workspace, moved, "three albums were mixed up")
    (known,) = known_releases(workspace)
    assert known.revoked_because == "three albums were mixed up"
    assert known.revoked_at is not None
    text = revocation(moved) or ""
    assert text.endswith(": three albums were mixed up")
    inside = moved / "recognition" / "icartoonface_rectest_info.txt"
    assert revocation_above(inside) == text
    assert revocation_above(workspace.root / "icf.toml") is None
    assert "is of a revoked release. Revoked at" in str(warning_of(inside))
    found = verify(moved, quick=True)
    assert found.faults == ()
    assert "this release was revoked" in found.notes[0]


def test_a_release_that_is_revoked_again_keeps_every_reason_once(
    workspace: Workspace, released: Path
) -> None:
    for reason in ("stolen pictures", "wrong labels", "stolen pictures"):
        revoke(workspace, released, reason)
    said = (released / "REVOKED").read_text().splitlines()
    assert [line.partition(": ")[2] for line in said] == [
        "stolen pictures",
        "wrong labels",
    ]
    assert all(line.startswith("Revoked at ") for line in said)


def test_an_unknown_release_cannot_be_revoked_nor_one_without_a_reason(
    workspace: Workspace, released: Path, tmp_path: Path
) -> None:
    with pytest.raises(WrongUse, match="knows no release"):
        revoke(workspace, tmp_path / "other", "why not")
    with pytest.raises(WrongUse, match="give a reason"):
        revoke(workspace, released, " ")
    assert known_releases(workspace)[0].revoked_at is None


def test_what_changed_between_releases_is_counted(
    workspace: Workspace, released: Path
) -> None:
    other = shutil.copytree(released, released.with_name("two"))
    same = compare(released, other)
    assert same.faces.same == len(
        read_contents(released / "contents.csv").rows("train", "probe", "distractor")
    )
    assert (same.faces.added, same.faces.moved, same.settings) == (0, {}, {})
    contents = read_contents(other / "contents.csv")
    train, probe = contents.rows("train"), contents.rows("probe")
    contents.part[train[0]] = "probe"
    contents.character[probe[0]] = "Somebody else"
    contents.part[contents.rows("detection_test")[0]] = "detection_train"
    write_contents(other / "contents.csv", contents.take(contents.part != "distractor"))
    write_sums(other, {})
    found = compare(released, other)
    distractors = len(contents.rows("distractor"))
    assert found.faces.moved == {"train -> probe": 1}
    assert (found.faces.added, found.faces.removed) == (0, distractors)
    assert found.faces.relabelled == 1
    assert found.pictures.moved == {"detection_test -> detection_train": 1}
    assert len(found.identities_added) == 1
    assert len(found.identities_removed) == distractors


def test_changed_settings_and_models_are_named(
    workspace: Workspace, released: Path
) -> None:
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.model).values(name="another"))
    changed = find(workspace.root, ("dataset.max_probes=6",))
    write(changed, prepare(changed, 1), released.with_name("two"), 1)
    changed.catalogue.close()
    found = compare(released, released.with_name("two"))
    assert found.settings == {"dataset.max_probes": (17, 6)}
    assert found.models["embedder.name"] == ("drawn-embedder", "another")
    assert found.faces.relabelled == 0


def test_pictures_whose_boxes_people_changed_are_counted(
    workspace: Workspace, released: Path
) -> None:
    other = shutil.copytree(released, released.with_name("two"))
    contents = read_contents(other / "contents.csv")
    row = int(contents.rows("detection_test")[0])
    contents.boxes[row] = contents.boxes[row].replace(" ", "5 ", 1)
    write_contents(other / "contents.csv", contents)
    write_sums(other, {})
    found = compare(released, other).pictures
    assert (found.relabelled, found.added, found.removed) == (1, 0, 0)
    assert found.same == compare(released, released).pictures.same - 1
    # An earlier version did not say the boxes.
    rows = contents.rows("detection_train", "detection_test")
    contents.boxes[rows] = ""
    contents.width[:] = contents.height[:] = 0
    write_contents(other / "contents.csv", contents)
    write_sums(other, {})
    assert compare(released, other).pictures.relabelled == 0


def test_a_release_without_contents_cannot_be_compared(released: Path) -> None:
    (released / "contents.csv").unlink()
    with pytest.raises(BadInput, match=r"has lost its contents\.csv: restore it"):
        compare(released, released)
    (released / "SHA256SUMS").unlink()
    with pytest.raises(BadInput, match="an earlier version wrote it"):
        compare(released, released)


@pytest.mark.parametrize("rows", [1, 100])
def test_contents_that_end_early_are_damaged_and_not_compared(
    released: Path, rows: int
) -> None:
    whole = shutil.copytree(released, released.with_name("whole"))
    cut_rows(released / "contents.csv", rows)
    for one, other in ((released, whole), (whole, released)):
        with pytest.raises(BadInput, match=r"changed its contents\.csv: restore it"):
            compare(one, other)


def test_lost_sums_are_not_said_to_be_of_an_earlier_version(released: Path) -> None:
    (released / "SHA256SUMS").unlink()
    told = invoke(show, released).stdout
    assert "it is missing" in told
    assert "earlier version" not in told
    (released / "contents.csv").unlink()
    assert "an earlier version wrote none" in invoke(show, released).stdout


def test_a_release_that_cannot_be_read_is_not_said_to_be_none(released: Path) -> None:
    summary = released / "release.json"
    summary.write_bytes(b"\xff")
    with pytest.raises(BadInput, match=r"release\.json is damaged: 'utf-8' codec"):
        read_summary(released)
    summary.unlink()
    with pytest.raises(WrongUse, match=r"it has no release\.json"):
        read_summary(released)
    summary.mkdir()
    with pytest.raises(BadInput, match=r"cannot be read: Is a directory; check"):
        read_summary(released)
