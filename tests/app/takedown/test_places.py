"""Copies are found where the workspace is now, and nobody else's are touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import batch, face, image, release, url
from icf.errors import SomeFailed, WrongUse
from icf.workspace import Workspace, find
from tests.app.program import call, said
from tests.dataset.drawn import Drawing, Size

PICTURE = "http://toons.test/1-1.jpg"
REASON = ("--reason", "asked by mail", "--yes")


@pytest.fixture(scope="module")
def drawn_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a release; only to copy."""
    root = tmp_path_factory.mktemp("places") / "space"
    Drawing(root, Size(albums=2)).draw().catalogue.close()
    said("-C", root, "build-splits", root / "releases" / "one")
    return root


def held_files(space: Workspace, folder: Path) -> list[Path]:
    """The files of a release that show the picture."""
    with space.catalogue.read() as connection:
        query = sa.select(image.c.sha256).join(url, url.c.image_id == image.c.id)
        sha256 = connection.execute(query.where(url.c.url == PICTURE)).scalar_one()
    rows = (folder / "licences.csv").read_text().splitlines()
    return [folder / row.split(",")[0] for row in rows if sha256 in row]


def change(space: Workspace, statement: sa.Update) -> None:
    with space.catalogue.write() as connection:
        connection.execute(statement)


def as_earlier_versions_did(space: Workspace, folder: Path) -> None:
    """Store the release's path absolute."""
    change(space, sa.update(release).values(path=str(folder)))


def withdraw(space: Workspace, *words: object) -> dict[str, Any]:
    return said("-C", space.root, "takedown", PICTURE, *REASON, *words)


def paths(space: Workspace, table: sa.Table) -> list[str]:
    with space.catalogue.read() as connection:
        return list(connection.execute(sa.select(table.c.path)).scalars())


@pytest.mark.parametrize("earlier", [False, True])
def test_in_a_renamed_workspace_the_release_is_found(
    space: Workspace, tmp_path: Path, earlier: bool
) -> None:
    assert paths(space, release) == ["releases/one"]
    if earlier:
        as_earlier_versions_did(space, space.root / "releases" / "one")
    space.catalogue.close()
    space = find(space.root.rename(tmp_path / "renamed"))
    files = held_files(space, space.root / "releases" / "one")
    assert files
    assert withdraw(space, "--releases")["unreached"] == []
    assert not any(each.exists() for each in files)
    assert paths(space, release) == ["releases/one"]
    space.catalogue.close()


def test_a_release_that_was_renamed_in_the_workspace_is_found(space: Workspace) -> None:
    moved = (space.root / "releases" / "one").rename(space.root / "published")
    files = held_files(space, moved)
    assert withdraw(space, "--releases")["unreached"] == []
    assert not any(each.exists() for each in files)
    assert paths(space, release) == ["published"]


@pytest.mark.parametrize("earlier", [False, True])
def test_in_a_copy_the_copys_release_is_changed_and_the_originals_is_not(
    space: Workspace, tmp_path: Path, earlier: bool
) -> None:
    original = space.root / "releases" / "one"
    if earlier:
        as_earlier_versions_did(space, original)
    shutil.copytree(space.root, tmp_path / "copy")
    copy = find(tmp_path / "copy")
    files = held_files(copy, copy.root / "releases" / "one")
    if earlier:
        with pytest.raises(
            SomeFailed, match=f"{original} is outside of this workspace"
        ):
            withdraw(copy, "--releases")
    else:
        withdraw(copy, "--releases")
    assert not any(each.exists() for each in files)
    assert all(each.is_file() for each in held_files(space, original))
    assert not (original / "taken_down.json").exists()
    copy.catalogue.close()


def test_a_folder_that_is_a_link_to_elsewhere_is_outside(
    space: Workspace, tmp_path: Path
) -> None:
    releases = space.root / "releases"
    releases.rename(tmp_path / "large disk")
    releases.symlink_to(tmp_path / "large disk")
    with pytest.raises(SomeFailed, match=r"--also .*large disk/one deletes them"):
        withdraw(space, "--releases")
    files = held_files(space, releases / "one")
    assert all(each.exists() for each in files)
    assert withdraw(space, "--also", releases / "one")["left"] == []
    assert not any(each.exists() for each in files)


def test_a_person_is_asked_about_copies_outside(
    space: Workspace, tmp_path: Path
) -> None:
    moved = (space.root / "releases" / "one").rename(tmp_path / "moved")
    as_earlier_versions_did(space, moved)
    words = ("-C", space.root, "takedown", PICTURE, *REASON[:2], "--releases")
    files = held_files(space, moved)
    from click.testing import CliRunner

    from icf.app.cli import cli

    done = CliRunner().invoke(cli, [str(each) for each in words], input="y\nn\n")
    assert isinstance(done.exception, SomeFailed)
    asked = f"has {len(files)} withdrawn pictures. Delete them there?"
    assert asked in done.output
    assert all(each.exists() for each in files)
    done = CliRunner().invoke(cli, [str(each) for each in words], input="y\ny\n")
    assert done.exit_code == 0, done.output
    assert not any(each.exists() for each in files)


def test_what_is_not_there_is_listed_until_it_is_found_or_given_up(
    space: Workspace, tmp_path: Path
) -> None:
    moved = (space.root / "releases" / "one").rename(tmp_path / "moved")
    files = held_files(space, moved)
    there = rf"release {space.root}/releases/one: it is not there\n.*--also.*--gone"
    with pytest.raises(SomeFailed, match=there) as failed:
        withdraw(space, "--releases")
    assert failed.value.exit_code == 3
    # Again, after all else is done: nothing is forgotten.
    with pytest.raises(SomeFailed, match="it is not there"):
        withdraw(space)
    found = withdraw(space, "--also", moved)
    assert (found["unreached"], found["left"]) == ([], [])
    assert not any(each.exists() for each in files)
    assert paths(space, release) == [str(moved)]
    shutil.rmtree(moved)
    with pytest.raises(SomeFailed, match="it is not there"):
        withdraw(space)
    said("-C", space.root, "takedown", "--gone", moved)
    assert withdraw(space)["unreached"] == []


def test_what_is_older_than_the_picture_needs_not_be_there(space: Workspace) -> None:
    shutil.rmtree(space.root / "releases" / "one")
    change(space, sa.update(release).values(created_at=0.5))
    assert withdraw(space)["unreached"] == []


def test_a_list_that_cannot_be_read_is_no_release_without_copies(
    space: Workspace,
) -> None:
    (space.root / "releases" / "one" / "licences.csv").write_text("file\nx\n")
    with pytest.raises(SomeFailed, match="releases/one: "):
        withdraw(space, "--releases")


def make_batch(space: Workspace, folder: Path) -> Path:
    """Write the crop of the picture's face, and of another, into a batch folder."""
    with space.catalogue.read() as connection:
        query = sa.select(face.c.id).join(url, url.c.image_id == face.c.image_id)
        key = connection.execute(query.where(url.c.url == PICTURE)).scalar_one()
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    (folder / "questions.csv").write_text("question,batch_id\n1,b1\n")
    (folder / "pictures" / f"face-{key + 1}.jpg").write_bytes(b"another")
    crop = folder / "pictures" / f"face-{key}.jpg"
    crop.write_bytes(b"crop")
    return crop


def test_a_batch_that_was_moved_is_found_in_the_workspace_or_listed(
    space: Workspace, tmp_path: Path
) -> None:
    shutil.rmtree(space.root / "b1")
    with pytest.raises(SomeFailed, match=f"batch {space.root}/b1: it is not there"):
        withdraw(space)
    crop = make_batch(space, space.root / "batches" / "old")
    withdraw(space)
    assert [each.name for each in crop.parent.iterdir()] != [crop.name]
    assert not crop.exists()
    assert paths(space, batch) == ["batches/old"]


def test_questions_of_the_page_have_no_folder_that_could_be_lost(
    space: Workspace,
) -> None:
    change(space, sa.update(batch).values(format="page", path="page/0123456789ab"))
    assert withdraw(space)["unreached"] == []


def test_crops_outside_are_removed_only_if_it_is_that_batch_and_a_person_says_so(
    space: Workspace, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    change(space, sa.update(batch).values(path=str(shared)))
    crop = make_batch(space, shared)
    with pytest.raises(
        SomeFailed, match=f"batch {shared} is outside of this workspace"
    ):
        withdraw(space)
    assert crop.exists()
    questions = shared / "questions.csv"
    text = questions.read_text()
    questions.write_text(text.replace("b1", "b7-of-somebody-else"))
    with pytest.raises(SomeFailed, match=f"batch {shared}: it is not there"):
        withdraw(space)
    with pytest.raises(WrongUse, match="no release and no batch of this workspace"):
        withdraw(space, "--also", shared)
    assert crop.exists()
    questions.write_text(text)
    withdraw(space, "--also", shared)
    assert not crop.exists()


def test_a_dry_run_names_them_and_changes_nothing(
    space: Workspace, tmp_path: Path
) -> None:
    (space.root / "releases" / "one").rename(tmp_path / "moved")
    [missing] = withdraw(space, "--dry-run", "--releases")["unreached"]
    assert missing["path"] == str(space.root / "releases" / "one")
    assert paths(space, release) == ["releases/one"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gone", "releases/two"), "names no release and no batch"),
        (("--gone", "releases/one"), "exists"),
    ],
)
def test_only_what_is_gone_is_forgotten(
    space: Workspace,
    words: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(space.root)
    with pytest.raises(WrongUse, match=message):
        call("takedown", *words)


def test_what_a_killed_build_left_is_removed(space: Workspace) -> None:
    left = space.root / "releases" / ".two.partial-999999999"
    left.mkdir()
    (left / "copy.jpg").write_bytes(b"copy")
    withdraw(space)
    assert not left.exists()
    assert json.loads(call("-C", space.root, "takedown", "--list", "--json").stdout)
