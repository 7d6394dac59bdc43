from __future__ import annotations

import asyncio
import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from icf.app.relink.run import downloads_of, relink_release
from icf.codes import RelinkStatus
from icf.dataset.release.files import RELINKED
from icf.dataset.release.sums import files_below, read_sums
from icf.dataset.verify.verify import verify
from icf.errors import BadInput, SomeFailed, WrongUse
from icf.settings import HarvestSettings
from icf.stores.files import hash_file
from tests.app.program import call
from tests.app.relink.conftest import DRAWN, Built, change
from tests.dataset.drawn import digest, same_files
from tests.harvest.wire import Site, answer

GONE = answer(b"", "404 Not Found")
ROBOTS = "/robots.txt"


def settings(site: Site) -> HarvestSettings:
    return HarvestSettings(allow_hosts=(site.host,), backoff=0.0, attempts=1)


def statuses(out: Path) -> Counter[tuple[str, str]]:
    with (out / RELINKED).open(newline="") as file:
        return Counter((row["status"], row["fate"]) for row in csv.DictReader(file))


def assert_sums_are_right(out: Path) -> None:
    sums = read_sums(out)
    assert sums.keys() == set(files_below(out))
    assert all(hash_file(out / name) == sha256 for name, sha256 in sums.items())


def test_a_release_without_pictures_has_everything_else(built: Built) -> None:
    assert not list(built.links.rglob("*.jpg"))
    links, whole = digest(built.links), digest(built.whole)
    # Cards and tables of files say what is there.
    about = {
        "README.md",
        "datasheet.md",
        "croissant.json",
        "release.json",
        "SHA256SUMS",
    }
    lists = {name for name in whole if not name.endswith(".jpg")}
    same = {n for n in lists - about if not n.startswith("records/")}
    assert {name: links[name] for name in same} == {name: whole[name] for name in same}
    assert_sums_are_right(built.links)


def test_the_pictures_are_downloaded_to_where_the_lists_name_them(
    built: Built, links: Path, site: Site, tmp_path: Path
) -> None:
    fates = relink_release(links, tmp_path / "out", settings(site))
    assert {each.status for each in fates.values()} == {RelinkStatus.THERE}
    for part in ("recognition", "detection"):
        assert same_files(tmp_path / "out" / part, built.whole / part)
    assert set(statuses(tmp_path / "out")) == {("there", "stored")}
    assert_sums_are_right(tmp_path / "out")
    assert not downloads_of(tmp_path / "out").exists()
    assert Counter(site.asked) == Counter([ROBOTS, *built.pictures])


def test_what_is_gone_or_other_is_said_and_the_rest_is_there(
    built: Built, links: Path, site: Site, tmp_path: Path
) -> None:
    gone, other, forbidden, *rest = sorted(built.pictures)
    site.route(gone, GONE)
    site.route(other, answer(built.pictures[rest[0]]))
    site.route(ROBOTS, answer(f"User-agent: *\nDisallow: {forbidden}".encode()))
    own = f"http://{site.host}{rest[1]},"
    change(links, own, "file:///home/ann/own.jpg,")
    out = tmp_path / "out"
    fates = relink_release(links, out, settings(site))
    found = {(f.status.value, f.fate and f.fate.value): f for f in fates.values()}
    assert found.keys() == {
        ("there", "stored"),
        ("changed", "stored"),
        ("not_fetched", "not_found"),
        ("not_fetched", "disallowed"),
        ("no_address", "bad_scheme"),
    }
    assert found["not_fetched", "not_found"].url.endswith(gone)
    assert "has the SHA-256" in found["changed", "stored"].message
    assert_sums_are_right(out)
    assert len(list(out.rglob("*.jpg"))) == statuses(out)["there", "stored"]

    # The same command again asks for what may be better now, and adds it.
    site.route(other, answer(built.pictures[other]))
    site.route(gone, answer(built.pictures[gone]))
    asked = len(site.asked)
    with pytest.raises(WrongUse, match="something else"):
        relink_release(built.links, tmp_path, settings(site))
    again = relink_release(links, out, settings(site))
    assert_sums_are_right(out)
    there = {each for each, fate in again.items() if fate.status is RelinkStatus.THERE}
    missing = {_sha256(built, path) for path in (forbidden, rest[1])}
    assert there == again.keys() - missing
    assert {gone, other} <= set(site.asked[asked:]) <= {ROBOTS, gone, other}


def _sha256(built: Built, path: str) -> str:
    import hashlib

    return hashlib.sha256(built.pictures[path]).hexdigest()


def test_a_linked_release_is_verified_and_what_is_missing_is_said(
    built: Built, links: Path, site: Site, tmp_path: Path
) -> None:
    plain = verify(built.links)
    assert plain.faults == ()
    assert (
        sum(
            f"{len(list(built.whole.rglob('*.jpg')))} pictures are" in each
            for each in plain.notes
        )
        == 1
    )
    gone = sorted(built.pictures)[0]
    site.route(gone, GONE)
    out = tmp_path / "out"
    relink_release(links, out, settings(site))
    change(out, f"http://{site.host}", DRAWN)  # the other tables have these addresses
    linked = verify(out)
    assert linked.faults == ()
    assert any("pictures are not in it" in each for each in linked.notes)
    one, other, *_ = sorted(out.rglob("*.jpg"))
    name = one.relative_to(out).as_posix()
    data = one.read_bytes()
    one.unlink()
    assert [str(each) for each in verify(out).faults] == [f"{name}: is missing"]
    one.write_bytes(other.read_bytes())
    assert any(each.file == name for each in verify(out, quick=True).faults)
    one.write_bytes(data)
    assert verify(out, quick=True).faults == ()


def test_the_next_address_of_a_picture_is_asked_where_one_has_other_bytes(
    built: Built, links: Path, site: Site, tmp_path: Path
) -> None:
    first = sorted(built.pictures)[0]
    site.route(first, answer(next(iter(reversed(built.pictures.values())))))
    mirror = site.route("/mirror.jpg", answer(built.pictures[first]))
    table = links / "licences.csv"
    with table.open(newline="") as file:
        columns, *rows = csv.reader(file)
    more = [[*row[:2], mirror, *row[3:]] for row in rows if row[2].endswith(first)]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows, *more])
    change(links, "", "")
    fates = relink_release(links, tmp_path / "out", settings(site))
    assert {each.status for each in fates.values()} == {RelinkStatus.THERE}
    assert site.asked.count("/mirror.jpg") == 1
    assert fates[_sha256(built, first)].url == mirror


@pytest.mark.slow
def test_a_killed_run_goes_on_with_what_it_has(
    built: Built, links: Path, site: Site, tmp_path: Path
) -> None:
    held = sorted(built.pictures)[10:]

    async def silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()

    for path in held:
        site.route(path, silent)
    out = tmp_path / "out"
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from icf.app.relink.run import relink_release\n"
        "from icf.settings import HarvestSettings\n"
        "relink_release(Path(sys.argv[1]), Path(sys.argv[2]),"
        " HarvestSettings(allow_hosts=(sys.argv[3],)))\n"
    )
    words = [sys.executable, "-c", code, str(links), str(out), site.host]
    with subprocess.Popen(words) as process:
        while stored_in(downloads_of(out) / "catalogue.sqlite") < 1:
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()
    before = stored_in(downloads_of(out) / "catalogue.sqlite")
    for path in held:
        site.route(path, answer(built.pictures[path]))
    asked = len(site.asked)
    fates = relink_release(links, out, settings(site))
    assert {each.status for each in fates.values()} == {RelinkStatus.THERE}
    assert len(site.asked) - asked == len(built.pictures) - before + 1
    assert same_files(out / "recognition", built.whole / "recognition")


def stored_in(catalogue: Path) -> int:
    """The number of stored pictures; 0 before there is a catalogue."""
    try:
        address = f"file:{catalogue}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            query = "SELECT count(*) FROM url WHERE fate = 'stored'"
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_a_release_does_not_say_which_addresses_are_asked(
    links: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = f'[harvest]\nallow_hosts = ["{site.host}"]\n'
    (links / "icf.toml").write_text(allowed)
    monkeypatch.chdir(links)
    with pytest.raises(SomeFailed):
        call("release", "relink", ".", tmp_path / "out")
    assert {fate for _, fate in statuses(tmp_path / "out")} == {"forbidden_address"}
    assert site.asked == []


def test_a_release_that_was_changed_is_not_linked(
    links: Path, site: Site, tmp_path: Path
) -> None:
    (links / "contents.csv").write_bytes(b"")
    with pytest.raises(BadInput, match=r"contents\.csv is missing or was changed"):
        relink_release(links, tmp_path / "out", settings(site))
    assert not site.asked


def test_a_release_with_pictures_is_refused(
    built: Built, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="is there already"):
        relink_release(built.whole, tmp_path / "out", settings(site))
