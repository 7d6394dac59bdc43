"""A machine that fails under a run: it stops in words, and nothing is lost."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from icf.catalogue.schema import image, url
from icf.catalogue.sqlite import opening
from icf.errors import BrokenMachine
from icf.harvest.run import harvest
from icf.workspace import find
from tests.harvest.processes import running
from tests.harvest.rows import all_of
from tests.harvest.test_run import in_blobs, png, workspace
from tests.harvest.wire import Site, answer

pytestmark = pytest.mark.slow

PICTURES = 150


def big(number: int) -> bytes:
    """A picture of 60 kB by its header; nobody decodes it here."""
    return png(number) + bytes([number % 256]) * 60_000


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of 4 MB at ``place``."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "icf-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root can make a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(place: Path, options: str) -> None:
    command = ["mount", "-o", f"remount,{options}", str(place)]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("on_it", ["blobs", "."])
def test_a_full_disk_stops_the_run_and_with_more_room_it_goes_on(
    site: Site, tmp_path: Path, on_it: str
) -> None:
    urls = [site.route(f"/{n}.png", answer(big(n))) for n in range(PICTURES)]
    disk = (tmp_path / "ws" / on_it).resolve()
    with small_disk(disk):
        made = workspace(tmp_path / "ws", site, *urls)
        first = running(made)
        _, said = first.communicate()
        assert (first.returncode, "space" in said) == (1, True)
        assert "Traceback" not in said
        whole = in_blobs(made)
        assert 0 < len(whole) < PICTURES
        assert all(name == held for name, held in whole.items())
        remount(disk, "size=64m")
        made = find(made.root)
        stored = [row for row in all_of(made.catalogue, url) if row["fate"] == "stored"]
        assert {row["fate"] for row in all_of(made.catalogue, url)} <= {
            "stored",
            "pending",
        }
        assert len(stored) <= len(whole)
        harvest(made)
        rows = all_of(made.catalogue, url)
        assert [row["fate"] for row in rows] == ["stored"] * PICTURES
        assert {row["leased_by"] for row in rows} == {None}
        assert len(all_of(made.catalogue, image)) == PICTURES
        assert all(name == held for name, held in in_blobs(made).items())
        made.catalogue.close()


def test_a_read_only_disk_is_told_and_nothing_is_asked(
    site: Site, tmp_path: Path
) -> None:
    one = site.route("/1.png", answer(png(1)))
    disk = tmp_path / "ws"
    with small_disk(disk):
        made = workspace(disk, site, one)
        remount(disk, "ro")
        with pytest.raises(BrokenMachine, match="write"):
            harvest(made)
        assert site.asked == []
        remount(disk, "rw")
        made = find(disk)
        harvest(made)
        assert [row["fate"] for row in all_of(made.catalogue, url)] == ["stored"]
        made.catalogue.close()


def test_a_database_that_stays_locked_is_told_and_the_next_run_does_it_all(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace(tmp_path / "ws", site, site.route("/1.png", answer(png(1))))
    holder = find(made.root)
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_MS", 50)
    told = pytest.raises(BrokenMachine, match="Another icf command is writing")
    with holder.catalogue.write(), told:
        harvest(made)
    harvest(made)
    assert [row["fate"] for row in all_of(made.catalogue, url)] == ["stored"]
