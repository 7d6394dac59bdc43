"""Files of a folder: which there are under which name, and their bytes."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.picture_files import KnownFiles, read_file

COMPOSED = "é"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def put(root: Path, *names: str) -> KnownFiles:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return KnownFiles(root)


@pytest.mark.parametrize(
    ("here", "asked"),
    [
        ("1.jpg", "1.jpg"),
        (f"{DECOMPOSED}.jpg", f"{COMPOSED}.jpg"),
        (f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg"),
        (f"{DECOMPOSED}/a/{DECOMPOSED}.jpg", f"{COMPOSED}/a/{COMPOSED}.jpg"),
        ("a b.jpg", "a\u00a0b.jpg"),
    ],
)
def test_names_that_look_alike_are_one(here: str, asked: str, tmp_path: Path) -> None:
    assert put(tmp_path, here).find(asked) == here


def test_of_several_alike_only_the_very_name_is_found(tmp_path: Path) -> None:
    known = put(tmp_path, "a b.jpg", "a\u00a0b.jpg")
    assert known.find("a\u00a0b.jpg") == "a\u00a0b.jpg"
    assert known.find("a\u2003b.jpg") is None


@pytest.mark.parametrize(
    "name", ["", "2.jpg", "a", "a\0/1.jpg", "../1.jpg", "a/../1.jpg", "/a/1.jpg"]
)
def test_what_is_no_file_below_the_folder_is_not_found(
    name: str, tmp_path: Path
) -> None:
    known = put(tmp_path, "a/1.jpg")
    assert name not in known
    assert known.find(name) is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.jpg")
    with pytest.raises(BadInput, match=r"1\.jpg: cannot be read: it is no regular"):
        read_file(tmp_path / "1.jpg")
