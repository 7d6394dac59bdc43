"""The cache of trainings keeps no pixels of what was withdrawn."""

from __future__ import annotations

import fcntl
import mmap
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.app.takedown.cache import packs_of
from icf.errors import SomeFailed
from icf.models.data.packed import Packed, PackWriter
from icf.workspace import Workspace, find
from tests.app.program import call, said

SUBJECT = ("takedown", "http://toons.test/1-1.jpg", "--reason", "mail", "--yes")


@pytest.fixture
def space(drawn_space: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a cache, and a pack in it that nobody completed."""
    shutil.copytree(drawn_space, tmp_path / "space")
    folder = tmp_path / "space" / "cache" / "4f1d"
    folder.mkdir(parents=True)
    writer = PackWriter(folder)
    writer.add(Packed(bytes(16), b"a crop"))
    writer.flush()
    (folder / ".pack-1.partial-999999999").mkdir()
    opened = find(tmp_path / "space")
    yield opened
    opened.catalogue.close()


def test_the_cache_is_emptied(space: Workspace) -> None:
    dry = said("-C", space.root, *SUBJECT, "--dry-run")
    assert len(dry["cache"]) == len(packs_of(space.root)) == 2
    shown = call("-C", space.root, *SUBJECT).stdout
    assert f"the cache of trainings {space.root}/cache was emptied" in shown
    left = [each for each in (space.root / "cache").rglob("*") if each.is_file()]
    assert [each.name for each in left] == ["lock"]


def test_what_shows_nothing_leaves_the_cache(space: Workspace) -> None:
    words = ("takedown", "f" * 64, *SUBJECT[2:])
    assert said("-C", space.root, *words)["cache"] == []
    assert len(packs_of(space.root)) == 2


def test_a_cache_that_a_training_writes_or_reads_is_named(space: Workspace) -> None:
    folder = space.root / "cache" / "4f1d"
    named = f"cache {folder}: a training is reading it"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SomeFailed, match=named):
            said("-C", space.root, *SUBJECT)
    [pictures] = folder.glob("pack-*/pictures.bin")
    with (
        pictures.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ),
        pytest.raises(SomeFailed, match=named),
    ):
        said("-C", space.root, *SUBJECT)
    assert pictures.is_file()
    said("-C", space.root, *SUBJECT)
    assert packs_of(space.root) == []
