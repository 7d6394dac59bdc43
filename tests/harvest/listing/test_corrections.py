"""What a source says anew of a URL that it listed before counts; another's does not."""

import csv
from pathlib import Path

import pytest

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.labels.licences import under_licence
from icf.catalogue.schema import discovery, image_source, url
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.results import Stored, write_results
from icf.harvest.listing.discover import begin
from icf.harvest.run import Outcome, Work, harvest
from icf.harvest.sources.base import Corrects, ListingPage, Picture
from icf.workspace import Workspace, find, init
from tests.harvest.listing.test_discover import WHO, listed
from tests.harvest.rows import SourceOfTheTest, all_of, as_source, fates
from tests.harvest.test_run import png
from tests.harvest.wire import Site, answer

RIGHTS = ("page_url", "licence", "licence_url", "licence_from", "author")

Rights = tuple[str | None, ...]


def rights(catalogue: Catalogue) -> tuple[list[Rights], list[Rights]]:
    """What the frontier and the stored pictures say."""
    of_urls, of_pictures = (
        [tuple(row[name] for name in RIGHTS) for row in all_of(catalogue, table)]
        for table in (url, image_source)
    )
    return of_urls, of_pictures


def listing(root: Path, *rows: tuple[str, ...]) -> None:
    with (root / "urls.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["album", "character", "url", "licence", "licence_url", "author", "page"]
        )
        writer.writerows(("Moon", "Luna", *row) for row in rows)


@pytest.fixture
def made(site: Site, tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        '[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    return find(root)


@pytest.fixture
def address(site: Site) -> str:
    return site.route("/1.png", answer(png(1)))


def test_a_list_corrects_what_it_said_and_can_take_that_back(
    made: Workspace, address: str
) -> None:
    wrong = (address, "CC0", "", "Jane", "http://a.org/p")
    right = (address, "CC BY 4.0", "http://by", "Joe", "http://a.org/q")
    silent = (address, "", "", "", "")
    one = ("http://a.org/p", "CC0", None, "list", "Jane")
    other = ("http://a.org/q", "CC BY 4.0", "http://by", "list", "Joe")
    none = (None, "unknown", None, "unknown", None)
    for row, expected in ((wrong, one), (right, other), (wrong, one), (silent, none)):
        listing(made.root, row)
        harvest(made)
        assert rights(made.catalogue) == ([expected], [expected])
        assert fates(made.catalogue) == {"1.png": "stored"}


def test_the_first_row_of_a_url_counts_however_long_the_list(
    made: Workspace, address: str
) -> None:
    listing(
        made.root,
        (address, "CC0", "", "Jane", ""),
        (address, "CC BY", "", "Joe", ""),
        *((f"ftp://a.org/{n}", "", "", "", "") for n in range(4000)),
        (address, "CC BY-NC", "", "Jim", ""),
    )
    done = harvest(made)
    expected = (None, "CC0", None, "list", "Jane")
    assert rights(made.catalogue)[1] == [expected]
    assert [fault.partition("line ")[2][:4] for fault in done.listed.faults] == [
        "3: b",
        "4004",
    ]
    assert harvest(made, Work(refresh=True)).listed.faults == done.listed.faults
    assert rights(made.catalogue)[1] == [expected]


def relisted(
    made: Workspace, address: str, licence: str, work: Work | None = None
) -> Outcome:
    listing(made.root, (address, licence, "", "", ""))
    return harvest(find(made.root, ("harvest.only_licence=CC0",)), work or Work())


def test_a_stored_picture_is_not_usable_under_a_licence_that_became_worse(
    made: Workspace, address: str
) -> None:
    for licence, usable in (("CC0", True), ("Fair use", False), ("CC0", True)):
        relisted(made, address, licence)
        with made.catalogue.read() as connection:
            allowed = under_licence(connection, [1], ("CC0",))
        assert allowed == (frozenset([1]) if usable else frozenset())


def test_a_url_is_asked_for_when_its_licence_becomes_an_allowed_one(
    made: Workspace, address: str, site: Site
) -> None:
    relisted(made, address, "Fair use")
    assert fates(made.catalogue) == {"1.png": "other_licence"}
    assert "/1.png" not in site.asked
    relisted(made, address, "CC0")
    assert fates(made.catalogue) == {"1.png": "stored"}


def test_a_pending_url_is_not_asked_for_when_its_licence_becomes_another(
    made: Workspace, address: str, site: Site
) -> None:
    listing(made.root, (address, "CC0", "", "", ""))
    harvest(made, Work(fetch=False))
    assert fates(made.catalogue) == {"1.png": "pending"}
    # Else what is pending may be asked for before the list is read.
    relisted(made, address, "Fair use", Work(fetch=False))
    relisted(made, address, "Fair use")
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["licence"]) == ("other_licence", "Fair use")
    assert "its licence is 'Fair use'" in row["message"]
    assert "/1.png" not in site.asked


def test_a_refresh_reads_a_list_once_however_often_it_was_edited(
    made: Workspace, address: str
) -> None:
    for author in ("Jane", "Joe", "Jim"):
        listing(made.root, (address, "CC0", "", author, ""), ("", "", "", "", ""))
        harvest(made)
    done = harvest(made, Work(refresh=True))
    assert (done.listed.pages, done.listed.pictures) == (1, 1)
    assert len(done.listed.faults) == 1
    assert [row["status"] for row in all_of(made.catalogue, discovery)] == ["done"] * 3


def test_no_login_of_a_page_is_stored(made: Workspace, address: str) -> None:
    listing(made.root, (address, "CC0", "", "", "https://ann:moon@a.org/p"))
    harvest(made)
    expected = ("https://a.org/p", "CC0", None, "list", None)
    assert rights(made.catalogue) == ([expected], [expected])


OLD = Licence("CC0", None, "page", "Jane")
NEW = Licence("CC BY", "http://by", "page", "Joe")
ONE = "http://a.org/1"


def said(
    catalogue: Catalogue,
    licence: Licence,
    page: str | None,
    source: str = "test",
    corrects: Corrects = Corrects.PAGE,
) -> None:
    """List a picture, again if it is known."""
    one = Picture(
        ONE, "Moon", "Luna", licence=licence, page_url=page, corrects=corrects
    )
    lists = SourceOfTheTest(ListingPage(**WHO, pictures=(one,)))  # type: ignore[arg-type]
    lists.name = source
    begin(catalogue, as_source(lists), refresh=True)
    listed(catalogue, lists)


def stored(catalogue: Catalogue, digit: str) -> None:
    (row,) = Frontier(catalogue, 100.0, "me").lease(1)
    write_results(catalogue, "me", [Stored(row, digit * 64, 7, {})])


@pytest.mark.parametrize(
    ("licence", "page", "source", "corrects", "counts"),
    [
        (NEW, "http://a.org/p", "test", Corrects.PAGE, True),
        (UNKNOWN, "http://a.org/p", "test", Corrects.PAGE, True),
        (NEW, "http://a.org/q", "test", Corrects.PAGE, False),
        (NEW, "http://a.org/q", "test", Corrects.SOURCE, True),
        (NEW, "http://a.org/p", "test", Corrects.NOTHING, False),
        (NEW, "http://a.org/p", "other", Corrects.SOURCE, False),
    ],
)
def test_a_page_corrects_its_own_pictures_and_the_first_place_wins(
    catalogue: Catalogue,
    licence: Licence,
    page: str,
    source: str,
    corrects: Corrects,
    counts: bool,
) -> None:
    said(catalogue, OLD, "http://a.org/p")
    stored(catalogue, "1")
    said(catalogue, licence, page, source, corrects)
    shown = licence if counts else OLD
    expected = (
        page if counts else "http://a.org/p",
        *(shown.name, shown.url, shown.read_from, shown.author),
    )
    assert rights(catalogue) == ([expected], [expected])


def test_earlier_bytes_of_a_url_are_corrected_too(catalogue: Catalogue) -> None:
    said(catalogue, OLD, None)
    stored(catalogue, "1")
    with catalogue.write() as connection:
        connection.execute(url.update().values(fate="pending"))
    stored(catalogue, "2")
    said(catalogue, NEW, None)
    assert {row["licence"] for row in all_of(catalogue, image_source)} == {"CC BY"}
