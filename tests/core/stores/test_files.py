import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.errors import BadInput, WrongUse
from icf.stores import files
from icf.stores.blobs import BlobStore
from icf.stores.files import new_folder, replace_file, write_new


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise BadInput("halfway")

    with pytest.raises(BadInput, match="halfway"):
        replace_file(path, chunks())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_file_may_be_read_by_whom_the_umask_allows(tmp_path: Path, mask: int) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    before = os.umask(mask)
    try:
        replace_file(tmp_path / "rows.txt", [b"new"])
        with blobs.writer() as writer:
            writer.write(b"picture")
            sha256 = writer.commit()
    finally:
        os.umask(before)
    for path in (tmp_path / "rows.txt", blobs.path(sha256)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_new_folder_has_its_name_when_it_is_whole_and_not_before(
    tmp_path: Path,
) -> None:
    target = tmp_path / "deep" / "batch"
    with new_folder(target) as folder:
        (folder / "a.txt").write_text("a")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "a"
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        with new_folder(tmp_path / "batch") as folder:
            (folder / "a.txt").write_text("a")
            raise BadInput("halfway")

    with pytest.raises(BadInput, match="halfway"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_below_a_file_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("below", "far/below"):
        with (
            pytest.raises(WrongUse, match="file is a file"),
            new_folder(tmp_path / "file" / place),
        ):
            pass


def test_a_file_for_which_the_disk_is_full_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*report.html'"):
        replace_file(tmp_path / "report.html", [b"new"])
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_replaces_nothing_but_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as folder:
        (folder / "a.txt").write_text("a")
    with pytest.raises(OSError, match="not empty"), new_folder(tmp_path / "empty"):
        pass
    assert (tmp_path / "empty" / "a.txt").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("many", [0, 1000])
def test_a_folder_is_flushed_file_by_file_or_with_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(files, "_MANY", many)
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    (tmp_path / "a" / "b").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "a" / str(number)).write_bytes(b"x")
    files.flush_folder(tmp_path)
    # Five files and three folders, or the disk at once.
    assert len(flushed) == (8 if many else 0)


def test_a_disk_that_cannot_be_flushed_at_once_is_flushed_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MANY", 0)
    monkeypatch.setattr(files, "_linux", lambda: (5, 7))
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    (tmp_path / "a").write_bytes(b"x")
    files.flush_folder(tmp_path)
    assert len(flushed) == 2


def test_a_new_file_is_written_and_one_that_is_there_stays(tmp_path: Path) -> None:
    write_new(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
