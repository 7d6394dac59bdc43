"""What releases have of it is found and deleted, and nothing else of them is."""

from __future__ import annotations

import errno
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import candidate, face
from icf.dataset.contents import read_contents
from icf.dataset.release.known import known_releases
from icf.dataset.takedowns import change, journal
from icf.dataset.verify.verify import verify
from icf.errors import SomeFailed
from icf.workspace import Workspace
from tests.app.program import call, said
from tests.dataset.drawn import Drawing, Size, digest

pytestmark = pytest.mark.slow

PICTURE = "http://toons.test/1-1.jpg"
REASON = ("--reason", "asked by mail", "--yes")
SHARED = "Album 1/Character 1-1"


@pytest.fixture(scope="module")
def drawn_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace; all pictures of a character are filed under another one too."""
    root = tmp_path_factory.mktemp("releases") / "space"
    workspace = Drawing(root, Size(albums=2)).draw()
    with workspace.catalogue.write() as connection:
        its = sa.select(candidate.c.image_id).where(candidate.c.character_id == 2)
        known = sa.select(candidate.c.image_id).where(candidate.c.character_id == 9)
        images = set(connection.execute(its).scalars())
        images -= set(connection.execute(known).scalars())
        rows = [{"image_id": n, "character_id": 9, "is_lead": False} for n in images]
        connection.execute(sa.insert(candidate), rows)
    workspace.catalogue.close()
    return root


def released(space: Workspace, *words: str) -> Path:
    out = space.root / "releases" / "one"
    said("-C", space.root, "build-splits", out, *words)
    return out


def withdraw(space: Workspace, subject: str, *words: object) -> dict[str, Any]:
    return said("-C", space.root, "takedown", subject, *REASON, *words)


def hashes_of_faces(space: Workspace) -> set[bytes]:
    """Of the pixels of the withdrawn faces."""
    query = sa.select(face.c.pixel_hash).where(
        face.c.reason == "taken_down", face.c.character_id == 2
    )
    with space.catalogue.read() as connection:
        return {each.encode() for each in connection.execute(query).scalars()}


@pytest.mark.parametrize(
    "words",
    [
        ("--crops", "0.5"),
        ("--crops", "0.5", "--format", "webdataset"),
        ("--crops", "0.5", "--format", "icartoonface", "--format", "lfw"),
        (),
    ],
    ids=" ".join,
)
def test_the_faces_of_a_character_whose_pictures_stay_are_copies(
    space: Workspace, words: tuple[str, ...]
) -> None:
    out = released(space, *words)
    (space.root / "reports" / "first.html").write_text("<html></html>")
    before = digest(out)
    found = withdraw(space, SHARED)
    assert (found["images"], len(found["reports"])) == (0, 1)
    [held] = found["releases"]
    gone = hashes_of_faces(space)
    contents = read_contents(out / "contents.csv")
    named = set(contents.face_pixel_hash.tolist()) & gone
    assert (held["pictures"], held["faces"]) == (0, len(named))
    assert named
    assert digest(out) == before
    shown = call("-C", space.root, "takedown", SHARED, *REASON).stdout
    assert f"{out} contains {len(named)} withdrawn faces; make it again" in shown
    withdraw(space, SHARED, "--releases")
    after = read_contents(out / "contents.csv")
    assert not set(after.face_pixel_hash.tolist()) & gone
    assert len(after) > 0
    for name in held["files"]:
        if not name.endswith(".tar"):
            assert not (out / name).exists()
    assert verify(out).faults == ()
    assert withdraw(space, SHARED)["releases"] == []


def test_the_command_that_makes_it_again_has_the_options_that_it_was_made_with(
    space: Workspace,
) -> None:
    one = released(space, "--boxes", "proposed", "--set", "dataset.max_probes=9")
    two, protocol = space.root / "releases" / "the second", space.root / "mine.toml"
    protocol.write_text('name = "mine"\n[pairs]\nfolds = 2\neach = 12\n')
    words = ("--after", one, "--protocol", protocol)
    said("-C", space.root, "build-splits", two, *words)
    held = withdraw(space, PICTURE, "--dry-run")["releases"]
    assert {each["folder"]: shlex.split(each["rebuild"])[1:] for each in held} == {
        str(one): [
            *(f"{one}-without", "--seed", "1", "--boxes", "proposed"),
            *("--set", "dataset.max_probes=9"),
        ],
        str(two): [
            *(f"{two}-without", "--seed", "1"),
            *("--after", str(one), "--protocol", "FILE"),
        ],
    }


@pytest.mark.parametrize("kind", ["webdataset", "parquet", "hf"])
def test_of_a_file_with_many_pictures_the_others_stay(
    space: Workspace, kind: str
) -> None:
    out = released(space, "--format", kind)
    before, size = read_contents(out / "contents.csv"), len(digest(out))
    [held] = withdraw(space, PICTURE, "--dry-run")["releases"]
    assert (held["pictures"], held["members"]) == (1, True)
    [held] = withdraw(space, PICTURE, "--releases")["releases"]
    after = read_contents(out / "contents.csv")
    sha256 = set(before.sha256.tolist()) - set(after.sha256.tolist())
    assert len(sha256) == 1
    assert size <= len(digest(out))
    assert all((out / name).is_file() for name in held["files"])
    found = verify(out)
    assert found.faults == ()
    [note] = json.loads((out / "taken_down.json").read_text())
    assert (note["files"], note["reason"]) == ([], "asked by mail")
    assert not any("its lists still name them" in each for each in found.notes)
    assert withdraw(space, PICTURE)["releases"] == []
    assert [each.is_there for each in known_releases(space)] == [True]


def test_a_deletion_that_was_cut_short_is_completed_by_the_same_command(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = released(space)

    def stopped(folder: Path) -> bool:
        if (folder / journal.FOLDER).is_dir():
            plan = json.loads((folder / journal.FOLDER / "plan.json").read_text())
            for name in plan["delete"]:
                (folder / name).unlink()
            raise KeyboardInterrupt
        return False

    with monkeypatch.context() as patched:
        patched.setattr(journal, "complete", stopped)
        call("-C", space.root, "takedown", PICTURE, *REASON, "--releases")
    assert any("takedown --releases" in str(each) for each in verify(out).faults)
    [held] = withdraw(space, PICTURE)["releases"]
    assert (held["pictures"], held["cut_short"]) == (0, True)
    shown = call("-C", space.root, "takedown", PICTURE, *REASON, "--releases").stdout
    assert f"{out} contained the rest of a deletion that was cut short" in shown
    assert verify(out).faults == ()
    [note] = json.loads((out / "taken_down.json").read_text())
    assert note["files"]
    assert not any((out / name).exists() for name in note["files"])
    assert withdraw(space, PICTURE)["releases"] == []


def test_on_a_full_disk_a_release_is_left_as_it_is_and_named(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = released(space)
    before = digest(out)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(change, "write_contents", full)
        with pytest.raises(SomeFailed, match=r"No space left.*run the same command"):
            withdraw(space, PICTURE, "--releases")
    assert digest(out) == before
    withdraw(space, PICTURE, "--releases")
    assert verify(out).faults == ()
    assert not any("its lists still name them" in each for each in verify(out).notes)


def test_shards_of_a_release_that_cannot_be_cleaned_are_left_and_named(
    space: Workspace,
) -> None:
    out = released(space, "--format", "webdataset")
    (out / "contents.csv").unlink()
    before = digest(out)
    with pytest.raises(
        SomeFailed,
        match=r"1 withdrawn pictures cannot be deleted .*(?s:.*)release clean",
    ):
        withdraw(space, PICTURE, "--releases")
    assert digest(out) == before


def test_files_of_a_release_that_was_changed_are_deleted_nevertheless(
    space: Workspace,
) -> None:
    out = released(space)
    (out / "README.md").unlink()
    (out / "leaks.json").write_text("{}")
    [held] = withdraw(space, PICTURE, "--releases")["releases"]
    assert held["files"]
    assert not any((out / name).exists() for name in held["files"])
    [note] = json.loads((out / "taken_down.json").read_text())
    assert note["files"] == held["files"]


def test_a_cleaned_release_that_was_renamed_is_found(space: Workspace) -> None:
    out = released(space)
    withdraw(space, PICTURE, "--releases")
    moved = out.rename(space.root / "published")
    [held] = withdraw(space, "http://toons.test/1-2.jpg")["releases"]
    assert held["folder"] == str(moved)


def test_crops_that_only_a_cleaning_could_delete_are_named(space: Workspace) -> None:
    out = released(space, "--crops", "0.5", "--format", "lfw")
    (out / "leaks.json").write_text("{}")
    with pytest.raises(SomeFailed, match="withdrawn faces cannot be deleted from it"):
        withdraw(space, SHARED, "--releases")


def test_what_an_earlier_version_deleted_does_not_keep_the_rest(
    space: Workspace,
) -> None:
    out = released(space)
    [held] = withdraw(space, PICTURE)["releases"]
    for name in held["files"]:
        (out / name).unlink()
    entry = {"files": held["files"], "reason": "before", "taken_at": 1.0}
    (out / "taken_down.json").write_text(json.dumps([entry]))
    [other] = withdraw(space, "http://toons.test/1-2.jpg", "--releases")["releases"]
    assert not any((out / name).exists() for name in other["files"])
    found = verify(out)
    assert found.faults == ()
    assert not any("its lists still name them" in each for each in found.notes)
