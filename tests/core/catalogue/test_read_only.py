"""A catalogue in a file that this user may only read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue, sqlite_url
from icf.catalogue.schema import album
from icf.catalogue.sqlite import read_only
from icf.errors import BrokenMachine
from tests.core.catalogue.test_transactions import put_albums


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue with an album, which nobody has open."""
    path = tmp_path / "a?b% ü" / "catalogue.sqlite"
    path.parent.mkdir()
    with closing(Catalogue(sqlite_url(path))) as mine:
        mine.upgrade()
        put_albums(mine, "Moon")
    return path


@pytest.fixture
def guest(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    """The same catalogue, for a user who may only read it."""
    with monkeypatch.context() as patch:
        patch.setattr(read_only, "may_write", lambda path: False)
        opened = Catalogue(sqlite_url(file))
    yield opened
    opened.close()


def albums(catalogue: Catalogue) -> set[str]:
    with catalogue.read() as connection:
        return set(connection.scalars(sa.select(album.c.name)))


def test_it_is_read_and_nothing_is_written_beside_it(
    file: Path, guest: Catalogue
) -> None:
    assert albums(guest) == {"Moon"}
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_it_can_be_tried_in_but_not_written_to(guest: Catalogue) -> None:
    with guest.scratch() as connection:
        connection.execute(sa.update(album).values(name="Sun"))
    with (
        pytest.raises(BrokenMachine, match="this user may only read the catalogue"),
        guest.write(),
    ):
        pass
    assert albums(guest) == {"Moon"}


def test_what_a_writer_wrote_meanwhile_is_seen(file: Path, guest: Catalogue) -> None:
    assert albums(guest) == {"Moon"}
    with closing(Catalogue(sqlite_url(file))) as owner:
        put_albums(owner, "Sun")
        assert albums(guest) == {"Moon", "Sun"}
        put_albums(owner, "Star")
        assert albums(guest) == {"Moon", "Sun", "Star"}
    assert albums(guest) == {"Moon", "Sun", "Star"}


def test_a_file_that_changes_while_it_is_read_is_an_error(
    file: Path, guest: Catalogue
) -> None:
    def read_while_another_writes() -> None:
        with guest.read(), closing(Catalogue(sqlite_url(file))) as owner:
            put_albums(owner, "Sun")

    with pytest.raises(BrokenMachine, match="written to while it was read"):
        read_while_another_writes()
    assert albums(guest) == {"Moon", "Sun"}


def test_no_thread_goes_on_with_a_connection_from_before_a_change(
    file: Path, guest: Catalogue
) -> None:
    def read_while_another_thread_does() -> None:
        with guest.read() as connection:
            assert set(connection.scalars(sa.select(album.c.name))) == {"Moon"}
            with closing(Catalogue(sqlite_url(file))) as owner:
                put_albums(owner, "Sun")
            # A second thread needs a connection of its own.
            with guest.engine.connect():
                pass

    with pytest.raises(BrokenMachine, match="written to while it was read"):
        read_while_another_thread_does()
    with guest.read() as one, guest.read() as other:
        for each in (one, other):
            assert set(each.scalars(sa.select(album.c.name))) == {"Moon", "Sun"}


def test_a_snapshot_with_a_log_that_was_not_taken_over_is_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Catalogue(sqlite_url(file))) as owner:
        put_albums(owner, "Sun")
        shutil.copytree(file.parent, tmp_path / "snapshot")
    monkeypatch.setattr(read_only, "may_write", lambda path: False)
    with closing(Catalogue(sqlite_url(tmp_path / "snapshot" / file.name))) as snapshot:
        assert albums(snapshot) == {"Moon", "Sun"}


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "expected"),
    [
        (0o755, 0o644, True),
        (0o777, 0o644, True),
        (0o755, 0o666, True),
        (0o777, 0o666, False),
    ],
)
def test_permissions_of_the_file_and_its_folder_say_who_may_only_read(
    file: Path,
    folder_mode: int,
    file_mode: int,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file.chmod(file_mode)
    file.parent.chmod(folder_mode)
    # Folders on the way may be for the user of the tests alone.
    monkeypatch.chdir(file.parent)
    with as_nobody():
        assert read_only.may_only_read(Path(file.name)) is expected


def test_what_is_not_there_is_no_file_to_read_only(tmp_path: Path) -> None:
    assert not read_only.may_only_read(tmp_path / "none" / "catalogue.sqlite")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Ask for permissions as another user than root, who always has them."""
    mine = os.getuid()
    os.setreuid(65534 if mine == 0 else mine, -1)
    try:
        yield
    finally:
        os.setreuid(mine, -1)
