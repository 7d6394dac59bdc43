from pathlib import Path

import pytest

pytest.importorskip("warcio")

from warcio.archiveiterator import ArchiveIterator

from icf.harvest.download.fetch import Fetched
from icf.harvest.download.warc import WarcFiles
from icf.harvest.run import harvest
from tests.harvest.test_run import png, workspace
from tests.harvest.wire import Site, answer, redirect


def records(folder: Path) -> list[tuple[str, str, bytes]]:
    """Type, URL and content of each record; digests are checked on the way."""
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                content = record.content_stream().read()
                address = record.rec_headers.get_header("WARC-Target-URI") or ""
                found.append((record.rec_type, address, content))
    return found


def test_what_was_asked_and_answered_is_kept(site: Site, tmp_path: Path) -> None:
    site.route("/moved", redirect("/2.png"))
    first = site.route("/1.png", answer(png(1), Server="of the test"))
    site.route("/2.png", answer(png(2)))
    gone = site.route("/gone", answer(b"", "404 Not Found"))
    made = workspace(
        tmp_path / "ws", site, first, site.url("/moved"), gone, warc="true"
    )
    harvest(made)
    kept = records(made.root / "warc")
    assert [kind for kind, _, _ in kept].count("warcinfo") == 1
    assert {(url, body) for kind, url, body in kept if kind == "response"} == {
        (first, png(1)),
        (site.url("/2.png"), png(2)),
    }
    assert {url for kind, url, _ in kept if kind == "request"} == {
        first,
        site.url("/2.png"),
    }


def test_nothing_is_kept_unless_it_is_wanted(site: Site, tmp_path: Path) -> None:
    made = workspace(tmp_path / "ws", site, site.route("/1.png", answer(png(1))))
    harvest(made)
    assert not (made.root / "warc").exists()


def test_a_file_has_its_name_when_it_is_whole_and_a_new_one_begins(
    tmp_path: Path,
) -> None:
    fetched = Fetched("http://a.example/1.png", 200, 3, {}, (("Server", "x"),))
    with WarcFiles(tmp_path, "icf/test", rotate=1) as files:
        files.write(fetched.url, fetched, b"one")
        assert len(records(tmp_path)) == 3
        files.write(fetched.url, fetched, b"two")
    assert len(list(tmp_path.glob("*.warc.gz"))) == 2
    assert list(tmp_path.glob("*.open")) == []


def test_what_a_killed_run_was_writing_has_no_final_name(tmp_path: Path) -> None:
    fetched = Fetched("http://a.example/1.png", 200, 3, {}, ())
    files = WarcFiles(tmp_path, "icf/test")
    files.write(fetched.url, fetched, b"one")
    assert [path.suffix for path in tmp_path.iterdir()] == [".open"]
    with files:
        pass
