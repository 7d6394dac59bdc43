"""A picture with several addresses: the next one is asked for when one is gone."""

import json
from pathlib import Path

import pytest

from icf.app.takedown.target import find_target
from icf.app.why import explain
from icf.catalogue import tombstones
from icf.catalogue.schema import image_source, url
from icf.codes import FetchStatus
from icf.dataset.licences import read_sources
from icf.harvest.report.licences import picture_sources
from icf.harvest.report.retry import Selection, make_pending
from icf.harvest.run import Outcome, harvest
from icf.workspace import Workspace, find, init
from tests.harvest.rows import all_of, fates
from tests.harvest.test_run import png
from tests.harvest.wire import Site, answer

GONE = answer(b"", "404 Not Found")


def run(made: Workspace, *urls: str) -> Outcome:
    """Harvest a list of one picture with these addresses, the best first."""
    (made.root / "urls.jsonl").write_text(
        json.dumps(
            {
                "album": "Moon",
                "character": "Luna",
                "url": urls[0],
                "fallback": urls[1:],
                "sha1": "0" * 40 if "hash" in urls[0] else "",
            }
        )
    )
    return harvest(made)


@pytest.fixture
def made(tmp_path: Path, site: Site) -> Workspace:
    root = tmp_path / "ws"
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}", "localhost:{site.port}"]\n'
        'backoff = 0.0\nattempts = 2\n[[source]]\nname = "mine"\nkind = "list"\n'
        'path = "urls.jsonl"\nskip = { image = ["*/skipped/*"] }\n'
    )
    return find(root)


def test_the_next_address_is_asked_for_when_the_first_is_gone(
    site: Site, made: Workspace
) -> None:
    first, second = site.route("/original.png", GONE), site.route("/a.png", GONE)
    third = site.route("/b.png", answer(png(1), ETag='"1"')).replace(
        "127.0.0.1", "localhost"
    )
    outcome = run(made, first, second, third, site.url("/never.png"))
    assert outcome.harvested.fates == {FetchStatus.STORED: 1}
    pages = [path for path in site.asked if path != "/robots.txt"]
    assert pages == ["/original.png", "/a.png", "/b.png"]
    assert site.asked.count("/robots.txt") == 2  # one of each host
    (row,) = all_of(made.catalogue, url)
    assert (row["url"], row["fate"], row["host"]) == (first, "stored", site.host)
    assert row["message"].startswith(f"from {third}; before it: {second}: HTTP 404")
    assert f"before it: {first}: HTTP 404" in row["message"]
    (source,) = all_of(made.catalogue, image_source)
    assert (source["url"], source["fetched_from"]) == (first, third)
    with made.catalogue.read() as connection:
        (listed,) = picture_sources(connection)
        (released,) = read_sources(connection, [source["image_id"]]).values()
        assert listed[1] == released[0].url == third
        told = explain(connection, first, made.root)
        assert find_target(connection, third).images == [source["image_id"]]
    assert told["fallbacks"] == [second, third, site.url("/never.png")]
    assert told["image"]["sources"][0]["fetched_from"] == third

    # Fetched again, the first comes first; an ETag goes to where it came from.
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.STORED,)))
    harvest(find(made.root))
    asked = [head for head in site.heads if " /robots.txt " not in head][3:]
    assert ['"1"' in head for head in asked] == [False, False, True]
    assert fates(made.catalogue) == {"original.png": "stored"}


def test_a_first_address_that_is_there_is_the_only_one(
    site: Site, made: Workspace
) -> None:
    first = site.route("/original.png", answer(png(1)))
    run(made, first, site.route("/a.png", answer(png(2))))
    assert "/a.png" not in site.asked
    (source,) = all_of(made.catalogue, image_source)
    assert source["fetched_from"] is None


@pytest.mark.parametrize(
    "gone",
    [
        answer(b"", "410 Gone"),
        answer(b"", "403 Forbidden"),
        answer(b"", "500 Broken"),
        answer(b""),
        answer(b"<html>a login</html>"),
    ],
)
def test_what_gives_no_picture_after_its_attempts_is_gone(
    site: Site, made: Workspace, gone: bytes
) -> None:
    run(made, site.route("/o.png", gone), site.route("/a.png", answer(png(1))))
    assert fates(made.catalogue) == {"o.png": "stored"}
    assert site.asked.count("/o.png") == (2 if b"500" in gone else 1)


@pytest.mark.parametrize(
    ("name", "first", "fate"),
    [
        ("o.png", answer(png(1), X_Robots_Tag="noai"), "opted_out"),
        ("hash.png", answer(png(1)), "hash_mismatch"),
    ],
)
def test_a_picture_that_is_there_but_not_for_us_has_no_way_around(
    site: Site, made: Workspace, name: str, first: bytes, fate: str
) -> None:
    run(made, site.route(f"/{name}", first), site.route("/a.png", answer(png(2))))
    assert fates(made.catalogue) == {name: fate}
    assert "/a.png" not in site.asked


def test_with_every_address_gone_the_first_is_where_a_retry_begins(
    site: Site, made: Workspace
) -> None:
    first = site.route("/o.png", GONE, answer(png(1)))
    second = site.route("/a.png", GONE).replace("127.0.0.1", "localhost")
    run(made, first, second)
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["host"]) == ("not_found", site.host)
    assert first in row["message"]
    assert second in row["message"]
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.NOT_FOUND,)))
    harvest(find(made.root))
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["message"]) == ("stored", None)


def test_no_fallback_is_asked_that_was_withdrawn_or_excluded_or_is_no_url(
    site: Site, made: Workspace
) -> None:
    withdrawn = site.route("/withdrawn.png", answer(png(1)))
    with made.catalogue.write() as connection:
        tombstones.bury(connection, tombstones.URL, [withdrawn], "asked for")
    skipped = site.route("/skipped/a.png", answer(png(2)))
    first = site.route("/o.png", GONE)
    run(made, first, withdrawn, skipped, "file:///etc/passwd", first)
    assert fates(made.catalogue) == {"o.png": "not_found"}
    assert [path for path in site.asked if path != "/robots.txt"] == ["/o.png"]


def test_a_first_address_that_is_no_url_leaves_the_others(
    site: Site, made: Workspace
) -> None:
    run(
        made,
        "data:image/gif;base64,R0lGODlhAQABAA==",
        site.route("/a.png", answer(png(1))),
    )
    assert fates(made.catalogue) == {"a.png": "stored"}


def test_a_known_url_gets_the_fallbacks_that_a_later_list_names(
    site: Site, made: Workspace
) -> None:
    first = site.route("/o.png", GONE)
    run(made, first)
    run(find(made.root), first, site.route("/a.png", answer(png(1))))
    assert fates(made.catalogue) == {"o.png": "not_found"}
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.NOT_FOUND,)))
    harvest(find(made.root))
    assert fates(made.catalogue) == {"o.png": "stored"}
