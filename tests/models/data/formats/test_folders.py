from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture, Skipped
from icf.models.data.formats.folders import FoldersReader
from tests.models.data.files import split, write_jpeg


def test_a_folder_is_an_identity_however_deep_it_is(tmp_path: Path) -> None:
    for name in ("0000045/001.jpg", "0000045/002.JPG", "0/0_12/3.png"):
        write_jpeg(tmp_path / name)
    pictures, skipped = split(FoldersReader(tmp_path))
    assert not skipped
    assert [(p.key, p.faces[0].identity) for p in pictures] == [
        ("0/0_12/3.png", "0/0_12"),
        ("0000045/001.jpg", "0000045"),
        ("0000045/002.JPG", "0000045"),
    ]


def test_a_picture_is_a_crop_of_one_face(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a" / "1.jpg")
    pictures, _ = split(FoldersReader(tmp_path, "human"))
    assert pictures == [LabelledPicture("a/1.jpg", (LabelledFace(None, "human", "a"),))]


def test_the_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "a" / "1.jpg")
    assert FoldersReader(tmp_path).read("a/1.jpg") == path.read_bytes()
    with pytest.raises(BadInput, match=r"a/2\.jpg: cannot be read"):
        FoldersReader(tmp_path).read("a/2.jpg")


def test_the_path_may_be_that_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jpeg(tmp_path / "a" / "1.jpg")
    monkeypatch.chdir(tmp_path)
    pictures, _ = split(FoldersReader(Path()))
    assert [picture.key for picture in pictures] == ["a/1.jpg"]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a" / "1.jpg")
    write_jpeg(tmp_path / "loose.jpg")
    (tmp_path / "a" / "notes.txt").write_text("x")
    write_jpeg(tmp_path / "a" / ".hidden.jpg")
    (tmp_path / "a" / "caf\udce9.jpg").write_bytes(b"x")
    pictures, skipped = split(FoldersReader(tmp_path))
    assert [picture.key for picture in pictures] == ["a/1.jpg"]
    assert {(Path(s.where).name, s.reason) for s in skipped} == {
        ("loose.jpg", "in no folder of an identity"),
        ("notes.txt", "not a picture by its name"),
        ("caf\ufffd.jpg", "its name is not UTF-8"),
    }
    assert all(isinstance(each, Skipped) for each in skipped)


def test_a_link_to_a_folder_is_said_and_one_to_a_file_is_read(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "elsewhere" / "b" / "1.jpg")
    write_jpeg(tmp_path / "faces" / "a" / "1.jpg")
    (tmp_path / "faces" / "a" / "2.jpg").symlink_to(path)
    (tmp_path / "faces" / "b").symlink_to(path.parent)
    pictures, skipped = split(FoldersReader(tmp_path / "faces"))
    assert [picture.key for picture in pictures] == ["a/1.jpg", "a/2.jpg"]
    assert skipped == [Skipped("b", "a link to a folder, which is not followed")]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "1.jpg")
    with pytest.raises(BadInput, match="is not a folder"):
        split(FoldersReader(path))


def test_the_fingerprint_is_that_of_the_files(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "a" / "1.jpg")
    before = FoldersReader(tmp_path).fingerprint()
    assert FoldersReader(tmp_path).fingerprint() == before
    path.write_bytes(path.read_bytes() + b"x")
    changed = FoldersReader(tmp_path).fingerprint()
    write_jpeg(tmp_path / "a" / "2.jpg")
    assert len({before, changed, FoldersReader(tmp_path).fingerprint()}) == 3
