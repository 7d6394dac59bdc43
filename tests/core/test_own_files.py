from collections import Counter
from pathlib import Path

import pytest

from icf.own_files import is_made_by_machine, walk, why_closed
from tests.unreadable import unreadable


@pytest.mark.parametrize(
    "name",
    [
        *("@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot"),
        *("$RECYCLE.BIN", "System Volume Information", "__MACOSX", "lost+found"),
        *(".thumbnails", ".git", ".stfolder", ".dropbox.cache", ".Trash-1000"),
        *("Thumbs.db", "Desktop.ini", "Icon\r", "@GMT-2024.01.31-00.00.00"),
        "1.jpg@SynoEAStream",
    ],
)
def test_machines_make_it(name: str) -> None:
    assert is_made_by_machine(name)


@pytest.mark.parametrize(
    "name", ["Luna", "@gudetama", "#1", "Recycle", "tmp", "$", "~"]
)
def test_people_make_it(name: str) -> None:
    assert not is_made_by_machine(name)


def test_a_walk_is_in_order_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    made = ("@eaDir/z", "a/@eaDir/x/y", "a/Thumbs.db", "a/._1", "b/._2", ".git/x")
    for name in ("b/2", "b/1", "a/1", *made):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    left_out: Counter[str] = Counter()
    found = [str(one.relative_to(tmp_path)) for one in walk(tmp_path, left_out)]
    assert found == ["a/1", "b/1", "b/2"]
    assert left_out == {"@eaDir": 2, "Thumbs.db": 1, "._*": 2, ".git": 1}
    linked = walk(tmp_path, closed=True)
    assert "link" in [str(one.relative_to(tmp_path)) for one in linked]


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    for name in ("a/1", "b/c/2", "d/3"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with unreadable(tmp_path / "b"):
        found = {
            str(one.relative_to(tmp_path)): why_closed(one)
            for one in walk(tmp_path, closed=True)
        }
    assert list(found) == ["link", "a/1", "b", "d/3"]
    assert found["a/1"] is found["d/3"] is None
    assert found["b"] == "unreachable: a folder that cannot be read: Permission denied"
    assert str(found["link"]).startswith("bad_row: a link to a folder")
    assert list(walk(tmp_path / "gone", closed=True)) == []
