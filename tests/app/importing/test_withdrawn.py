"""What was withdrawn: neither rows nor bytes come back."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.importing import work
from icf.app.importing.withdrawn import remove_bytes
from icf.catalogue import schema, tombstones
from icf.codes import ImageReason
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.app.import_coco.coco_files import write_picture
from tests.app.program import call, said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for number in range(3):
        write_picture(root / "Luna" / f"{number}.png", number)
    return root


def bring(space: Workspace, root: Path) -> dict[str, Any]:
    return dict(said("-C", space.root, "import", "folder", root)["files"])


def withdraw(space: Workspace, subject: str) -> None:
    words = "takedown", subject, "--reason", "asked", "--yes"
    done = call("-C", space.root, *words)
    assert done.exit_code == 0, done.output


def stored(space: Workspace, root: Path) -> list[bool]:
    """Whether the bytes of each picture are in the store."""
    files = sorted(root.rglob("*.png"))
    return [space.blobs.has(hash_file(each)) for each in files]


def images(space: Workspace) -> set[str]:
    query = sa.select(schema.image.c.sha256).where(
        schema.image.c.reason != ImageReason.TAKEN_DOWN.value
    )
    with space.catalogue.read() as connection:
        return set(connection.execute(query).scalars())


@pytest.mark.parametrize("subject", ["folder://set/Luna/0.png", "sha256"])
def test_bytes_that_were_withdrawn_are_not_stored_again(
    empty: Workspace, root: Path, subject: str
) -> None:
    bring(empty, root)
    gone = hash_file(root / "Luna" / "0.png")
    withdraw(empty, gone if subject == "sha256" else subject)
    # Under another address too.
    shutil.copyfile(root / "Luna" / "0.png", root / "Luna" / "copy.png")
    assert bring(empty, root)["withdrawn"] == 2
    assert stored(empty, root) == [False, True, True, False]


def test_bytes_that_an_earlier_version_stored_again_are_removed(
    empty: Workspace, root: Path
) -> None:
    bring(empty, root)
    withdraw(empty, "folder://set/Luna/0.png")
    empty.blobs.put((root / "Luna" / "0.png").read_bytes())
    bring(empty, root)
    assert stored(empty, root) == [False, True, True]


def test_what_is_withdrawn_in_advance_is_never_stored(
    empty: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw(empty, "folder://set/Luna/1.png")
    removed: list[str] = []

    def note(space: Workspace, hashes: Collection[str]) -> None:
        removed.extend(hashes)

    monkeypatch.setattr(work, "remove_bytes", note)
    assert bring(empty, root)["withdrawn"] == 1
    assert stored(empty, root) == [True, False, True]
    assert removed == [hash_file(root / "Luna" / "1.png")]


def test_what_is_withdrawn_while_it_is_measured_is_removed(
    empty: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw(empty, "folder://set/Luna/1.png")

    def none(connection: sa.Connection, some: Sequence[Collection[Any]]) -> list[bool]:
        return [False] * len(some)

    # As if the takedown came between measuring and writing.
    monkeypatch.setattr(work, "are_withdrawn", none)
    assert bring(empty, root)["withdrawn"] == 1
    assert stored(empty, root) == [True, False, True]


@pytest.mark.parametrize("name", ["0.png", "z.png"])
def test_an_address_is_withdrawn_whatever_other_files_have_its_bytes(
    empty: Workspace, root: Path, name: str
) -> None:
    luna = root / "Luna"
    shutil.copyfile(luna / "0.png", luna / "z.png")
    address = f"folder://set/Luna/{name}"
    withdraw(empty, address)
    done = bring(empty, root)
    assert (done["imported"], done["withdrawn"]) == (3, 1)
    # The bytes themselves were not withdrawn.
    assert stored(empty, root) == [True] * 4
    with empty.catalogue.read() as connection:
        query = sa.select(schema.image_source.c.url)
        assert address not in set(connection.execute(query).scalars())


def test_bytes_of_a_picture_of_the_catalogue_stay(empty: Workspace, root: Path) -> None:
    bring(empty, root)
    other = empty.blobs.put(b"of nobody")
    remove_bytes(empty, {*images(empty), other})
    assert stored(empty, root) == [True] * 3
    assert not empty.blobs.has(other)


def test_a_character_that_was_withdrawn_leaves_no_bytes(
    empty: Workspace, root: Path
) -> None:
    with empty.catalogue.write() as connection:
        name = tombstones.full_name("set", "Luna")
        tombstones.bury(connection, tombstones.CHARACTER, [name], "asked")
    assert bring(empty, root)["withdrawn"] == 3
    assert stored(empty, root) == [False] * 3
