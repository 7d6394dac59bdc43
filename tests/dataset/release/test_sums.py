from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from icf.dataset.release.present import hash_all
from icf.dataset.release.sums import (
    files_below,
    links_below,
    others_below,
    read_sums,
    write_sums,
)
from icf.errors import BadInput

NAMES = ("a.csv", "b/c d.jpg", "new\nline", "back\\slash", "é", "b/-x")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    for name in NAMES:
        (tmp_path / name).write_text(name)
    write_sums(tmp_path, {})
    return tmp_path


def test_sha256sum_finds_every_file_right(folder: Path) -> None:
    words = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.count(": OK") == len(NAMES)


def test_what_is_written_is_read_again_and_known_hashes_are_taken(folder: Path) -> None:
    sums = read_sums(folder)
    assert sorted(sums) == sorted(NAMES)
    before = (folder / "SHA256SUMS").read_bytes()
    (folder / "a.csv").write_text("other")
    write_sums(folder, {f"{folder}/a.csv": sums["a.csv"]})
    assert (folder / "SHA256SUMS").read_bytes() == before


@pytest.mark.parametrize("line", ["", "abc  a.csv", f"{'0' * 64} a.csv", "=1"])
def test_another_line_is_named(folder: Path, line: str) -> None:
    with (folder / "SHA256SUMS").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(BadInput, match=f"SHA256SUMS: line {len(NAMES) + 1}: "):
        read_sums(folder)


def test_a_file_listed_twice_is_named(folder: Path) -> None:
    path = folder / "SHA256SUMS"
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(BadInput, match="each file once"):
        read_sums(folder)


@pytest.mark.parametrize("name", ["../a.csv", "/a.csv", "b/../../a.csv"])
def test_a_file_outside_is_none_of_the_release(folder: Path, name: str) -> None:
    with (folder / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(BadInput, match="expected a file inside the release"):
        read_sums(folder)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="SHA256SUMS cannot be read"):
        read_sums(tmp_path)


def test_links_to_files_are_files_and_all_else_is_told_apart(
    folder: Path, tmp_path: Path
) -> None:
    files = set(files_below(folder))
    (folder / "b" / "link").symlink_to(folder / "b" / "c d.jpg")
    (folder / "b" / "folder").symlink_to(folder)
    (folder / "nowhere").symlink_to("none")
    os.mkfifo(folder / "pipe")
    assert set(files_below(folder)) == files | {"b/link"}
    assert set(links_below(folder)) == {"b/link"}
    assert set(others_below(folder)) == {"b/folder", "nowhere", "pipe"}
    assert list(files_below(tmp_path / "none")) == []


def test_a_folder_that_cannot_be_read_is_named_and_its_files_are_not_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def refuse(place: Path) -> object:
        if place == folder / "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadInput, match="/b cannot be read: Permission denied; check"):
        hash_all(folder, lambda _: None)
    with pytest.raises(BadInput, match="/b cannot be read"):
        write_sums(folder, {})
