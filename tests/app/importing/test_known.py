"""What counts as imported before: the address, the same bytes, and all of them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.app.cli import cli
from icf.app.importing import known
from icf.catalogue import schema
from icf.errors import SomeFailed
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.app.import_coco.coco_files import write_picture


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(2):
        write_picture(tmp_path / "set" / "Luna" / f"{number}.bmp", number)
    return tmp_path / "set"


def bring(space: Workspace, root: Path) -> dict[str, Any]:
    words = "-C", str(space.root), "import", "folder", str(root), "--json"
    done = CliRunner().invoke(cli, words)
    assert done.exception is None or isinstance(done.exception, SomeFailed)
    return dict(json.loads(done.stdout)["files"])


def blob(space: Workspace, number: int, root: Path) -> Path:
    return space.blobs.path(hash_file(root / "Luna" / f"{number}.bmp"))


def entered(space: Workspace, at: float | None) -> None:
    """Let all pictures have been entered at some time."""
    with space.catalogue.write() as connection:
        connection.execute(sa.update(schema.url).values(finished_at=at))


@pytest.mark.parametrize("is_removed", [True, False])
def test_bytes_that_were_lost_or_cut_are_stored_again(
    empty: Workspace, root: Path, is_removed: bool
) -> None:
    bring(empty, root)
    place = blob(empty, 0, root)
    place.chmod(0o644)
    if is_removed:
        place.unlink()
    else:
        place.write_bytes(place.read_bytes()[:100])
    done = bring(empty, root)
    assert (done["imported"], done["known"]) == (1, 1)
    assert empty.blobs.is_whole(place.name)
    assert bring(empty, root)["known"] == 2


def test_lost_bytes_are_not_replaced_by_those_of_another_picture(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    blob(empty, 0, root).unlink()
    write_picture(root / "Luna" / "0.bmp", 7)
    # Long before the import, as it seems.
    entered(empty, time.time() + 1000)
    assert bring(empty, root)["refused"] == {"another_picture": 1}


@pytest.mark.parametrize("entered_at", [0.0, None])
def test_a_file_that_changed_since_is_another_picture(
    empty: Workspace, root: Path, entered_at: float | None
) -> None:
    bring(empty, root)
    write_picture(root / "Luna" / "0.bmp", 7)
    entered(empty, entered_at)
    done = bring(empty, root)
    assert (done["refused"], done["known"]) == ({"another_picture": 1}, 1)


def test_a_file_that_was_put_in_place_of_another_keeps_no_old_time(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    old = write_picture(root.parent / "7.bmp", 7)
    os.utime(old, (0, 0))
    old.replace(root / "Luna" / "0.bmp")
    assert bring(empty, root)["refused"] == {"another_picture": 1}


def test_files_that_did_not_change_are_not_read(
    empty: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(empty, root)
    entered(empty, time.time() + 1000)

    def read(path: Path) -> str:
        raise AssertionError(f"{path} is read")

    monkeypatch.setattr(known, "hash_file", read)
    assert bring(empty, root)["known"] == 2
