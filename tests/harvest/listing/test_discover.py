import asyncio
import unicodedata
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character, discovery, mention, url
from icf.codes import FetchStatus, Gender, Region
from icf.harvest.attributes.licence import Licence
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.results import Stored, write_results
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.listing.discover import (
    EVERYTHING,
    Discovery,
    Listed,
    begin,
    count_listings,
    store,
    waiting_listings,
)
from icf.harvest.sources.base import Album, Character, ListingPage, Picture, Task
from tests.harvest.rows import (
    SourceOfTheTest,
    all_of,
    as_source,
    fates,
    filed,
)


def listed(catalogue: Catalogue, source: SourceOfTheTest) -> Listed:
    """Enter the first tasks and answer everything."""
    begin(catalogue, as_source(source), refresh=False)

    async def run() -> Listed:
        async with Web("icf/test", AllowList([])) as web:
            discovery = Discovery(catalogue, [as_source(source)], web)
            await discovery.run()
            return discovery.listed

    return asyncio.run(run())


def picture(address: str, character: str = "Luna", **columns: object) -> Picture:
    return Picture(address, "Moon", character, **columns)  # type: ignore[arg-type]


WHO = {
    "albums": (Album("Moon", "http://w/Moon", 3, Region.JAPAN),),
    "characters": (
        Character("Moon", "Luna", "http://w/Luna", Gender.FEMALE),
        Character("Moon", "Sol"),
    ),
}


def test_a_name_is_one_whoever_writes_it(catalogue: Catalogue) -> None:
    for number, (moon, evoli) in enumerate(
        [
            ("Pokémon", "Évoli"),
            (nfd("Pokémon"), nfd("Évoli")),
            ("Pokémon\u200b", " Évoli"),
        ]
    ):
        page = ListingPage(
            albums=(Album(moon),),
            characters=(Character(moon, evoli),),
            pictures=(Picture(f"http://a.org/{number}.png", moon, evoli),),
            tasks=(Task("images", str(number), moon, evoli),),
        )
        source = SourceOfTheTest(page, ListingPage())
        source.name = f"source {number}"
        listed(catalogue, source)
    assert [row["name"] for row in all_of(catalogue, album)] == ["Pokémon"]
    assert [row["name"] for row in all_of(catalogue, character)] == ["Évoli"]
    assert len(all_of(catalogue, mention)) == 3


def test_a_character_withdrawn_in_one_form_stays_out_in_another(
    catalogue: Catalogue,
) -> None:
    subject = tombstones.full_name("Pokémon", nfd("Évoli"))
    with catalogue.write() as connection:
        tombstones.bury(connection, tombstones.CHARACTER, [subject], "asked")
    evoli = Character(nfd("Pokémon"), "Évoli")
    page = ListingPage(albums=(Album(nfd("Pokémon")),), characters=(evoli,))
    assert listed(catalogue, SourceOfTheTest(page)).passed_over == 1
    assert all_of(catalogue, character) == []


def test_a_name_without_a_visible_character_is_passed_over_and_counted(
    catalogue: Catalogue,
) -> None:
    who = (Character("Moon", "\u200b"), Character("Moon", "Luna"))
    page = ListingPage(albums=(Album("Moon"),), characters=who)
    assert listed(catalogue, SourceOfTheTest(page)).passed_over == 1
    assert [row["name"] for row in all_of(catalogue, character)] == ["Luna"]


def test_what_machines_made_is_counted_by_name(catalogue: Catalogue) -> None:
    page = ListingPage(left_out={"@eaDir": 3, ".git": 1}, passed_over=2)
    found = listed(catalogue, SourceOfTheTest(page))
    assert (found.left_out, found.passed_over) == ({"@eaDir": 3, ".git": 1}, 2)
    assert [row["passed_over"] for row in all_of(catalogue, discovery)] == [6]


def nfd(text: str) -> str:
    """A text as a Mac names its files."""
    return unicodedata.normalize("NFD", text)


def test_an_answer_becomes_rows(catalogue: Catalogue) -> None:
    licence = Licence("CC0", "http://cc0", "list", "Jane")
    one = picture(
        "http://a.org/a b.png",
        page_url="http://w/p",
        licence=licence,
        sha1="ab",
        size=7,
    )
    answer = ListingPage(**WHO, pictures=(one,))  # type: ignore[arg-type]
    assert listed(catalogue, SourceOfTheTest(answer)).pictures == 1
    (moon,) = all_of(catalogue, album)
    assert (moon["name"], moon["rank"], moon["region"]) == ("Moon", 3, "japan")
    luna, _ = all_of(catalogue, character)
    assert (luna["name"], luna["page_url"]) == ("Luna", "http://w/Luna")
    assert luna["gender"] == "female"
    (row,) = all_of(catalogue, url)
    assert row["url"] == "http://a.org/a%20b.png"
    assert row["original"] == "http://a.org/a b.png"
    assert (row["host"], row["fate"]) == ("a.org", "pending")
    assert (row["licence"], row["licence_from"], row["author"]) == (
        "CC0",
        "list",
        "Jane",
    )
    assert (row["expected_sha1"], row["expected_bytes"]) == ("ab", 7)
    (said,) = all_of(catalogue, mention)
    assert (said["character_id"], said["is_lead"]) == (luna["id"], False)


@pytest.mark.parametrize("scheme", ["ftp", "sftp", "https", "s3"])
def test_the_login_of_a_picture_is_not_stored(
    catalogue: Catalogue, scheme: str
) -> None:
    one = picture(f"{scheme}://ann:moon@a.org/a.png")
    listed(catalogue, SourceOfTheTest(ListingPage(**WHO, pictures=(one,))))  # type: ignore[arg-type]
    (row,) = all_of(catalogue, url)
    assert (row["url"], row["original"]) == (f"{scheme}://a.org/a.png", None)
    assert "moon" not in str(dict(row))


def test_a_url_named_twice_is_one_row_with_both_characters(
    catalogue: Catalogue,
) -> None:
    first = ListingPage(
        **WHO,  # type: ignore[arg-type]
        pictures=(picture("http://a.org/1"), picture("http://a.org/1", "Sol")),
        cursor="1",
        done=False,
    )
    again = ListingPage(pictures=(picture("http://a.org/1", is_lead=True),))
    listed(catalogue, SourceOfTheTest(first, again))
    assert len(all_of(catalogue, url)) == 1
    assert [bool(row["is_lead"]) for row in all_of(catalogue, mention)] == [True, False]


def test_a_url_that_cannot_be_fetched_is_counted_once(catalogue: Catalogue) -> None:
    lost = {"fate": FetchStatus.MISSING_FILE, "message": "not there"}
    gone = (picture("http://a.org/1", **lost), picture("ftp://a.org/2"))
    also = (picture("http://a.org/1", "Sol", **lost), picture("http://a.org/3"))
    first = ListingPage(**WHO, pictures=gone, cursor="1", done=False)  # type: ignore[arg-type]
    done = listed(catalogue, SourceOfTheTest(first, ListingPage(pictures=also)))
    assert done.pictures == 4
    assert done.fates == {FetchStatus.MISSING_FILE: 1, FetchStatus.BAD_SCHEME: 1}
    begin(catalogue, as_source(SourceOfTheTest()), refresh=True)
    assert listed(catalogue, SourceOfTheTest(ListingPage(pictures=also))).fates == {}


def test_a_url_that_is_already_stored_is_filed_under_the_new_character_at_once(
    catalogue: Catalogue,
) -> None:
    listed(
        catalogue,
        SourceOfTheTest(
            ListingPage(**WHO, pictures=(picture("http://a.org/1"),))  # type: ignore[arg-type]
        ),
    )
    (row,) = Frontier(catalogue, 100.0, "me").lease(1)
    write_results(catalogue, "me", [Stored(row, "1" * 64, 7, {})])
    begin(catalogue, as_source(SourceOfTheTest()), refresh=True)
    listed(
        catalogue,
        SourceOfTheTest(ListingPage(pictures=(picture("http://a.org/1", "Sol"),))),
    )
    assert filed(catalogue) == [("1", "Luna", False), ("1", "Sol", False)]
    assert fates(catalogue) == {"1": "stored"}


@pytest.mark.parametrize(
    ("address", "fate"),
    [
        ("file:///etc/passwd", FetchStatus.BAD_SCHEME),
        ("javascript:alert(1)", FetchStatus.BAD_SCHEME),
        ("http://[/", FetchStatus.BAD_URL),
        ("http://a.org/\ud800\0", FetchStatus.BAD_URL),
        ("http://a.org/" + "x" * 5000, FetchStatus.BAD_URL),
        ("data:image/png;base64," + "é" * 5000, FetchStatus.BAD_SCHEME),
    ],
)
def test_what_can_never_be_fetched_has_its_fate_from_the_beginning(
    catalogue: Catalogue, address: str, fate: FetchStatus
) -> None:
    listed(
        catalogue,
        SourceOfTheTest(ListingPage(**WHO, pictures=(picture(address),))),  # type: ignore[arg-type]
    )
    (row,) = all_of(catalogue, url)
    assert (row["fate"], len(all_of(catalogue, mention))) == (fate.value, 1)
    assert row["message"]
    assert len(row["url"]) <= 2000


def test_a_fate_that_the_source_knows_is_kept(catalogue: Catalogue) -> None:
    gone = picture("http://w/Gone", fate=FetchStatus.MISSING_FILE, message="not there")
    listed(catalogue, SourceOfTheTest(ListingPage(**WHO, pictures=(gone,))))  # type: ignore[arg-type]
    (row,) = all_of(catalogue, url)
    assert (row["fate"], row["message"]) == ("missing_file", "not there")


def test_tasks_lead_to_tasks_and_each_is_asked_once(catalogue: Catalogue) -> None:
    more = (
        Task("images", "all"),  # itself: a circle
        Task("images", "luna", "Moon", "Luna", "state"),
        Task("images", "luna", "Moon", "Luna", "state"),
    )
    source = SourceOfTheTest(ListingPage(**WHO, tasks=more), ListingPage())  # type: ignore[arg-type]
    listed(catalogue, source)
    assert source.asked == [
        Task("images", "all"),
        Task("images", "luna", "Moon", "Luna", "state"),
    ]
    assert {row["status"] for row in all_of(catalogue, discovery)} == {"done"}


def test_listing_goes_on_behind_the_last_answer_that_was_stored(
    catalogue: Catalogue,
) -> None:
    class Dies(SourceOfTheTest):
        async def step(self, task: Task, web: Web) -> ListingPage:
            if not self._answers:
                raise KeyboardInterrupt
            return await super().step(task, web)

    pictures = (picture("http://a.org/1"),)
    half = ListingPage(**WHO, pictures=pictures, cursor="7", done=False)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        listed(catalogue, Dies(half))
    source = SourceOfTheTest(ListingPage(pictures=(picture("http://a.org/2"),)))
    listed(catalogue, source)
    assert source.asked == [Task("images", "all", cursor="7")]
    assert fates(catalogue) == {"1": "pending", "2": "pending"}


def test_what_is_listed_is_not_asked_again_unless_refreshed(
    catalogue: Catalogue,
) -> None:
    listed(catalogue, SourceOfTheTest(ListingPage(cursor="state")))
    assert listed(catalogue, SourceOfTheTest()).pages == 0
    source = SourceOfTheTest(ListingPage())
    begin(catalogue, as_source(source), refresh=True)
    assert listed(catalogue, source).pages == 1
    assert source.asked == [Task("images", "all", cursor="state")]


def test_a_refresh_begins_at_the_first_cursor_what_did_not_come_to_its_end(
    catalogue: Catalogue,
) -> None:
    first = Task("images", "all", cursor="first")
    half = SourceOfTheTest(ListingPage(cursor="an old token", done=False), first=first)
    assert listed(catalogue, half).failed == 1
    again = SourceOfTheTest(ListingPage(), first=first)
    begin(catalogue, as_source(again), refresh=True)
    listed(catalogue, again)
    assert again.asked == [first]


def test_a_refresh_asks_again_for_bytes_that_the_site_says_have_changed(
    catalogue: Catalogue,
) -> None:
    old = ListingPage(
        **WHO,  # type: ignore[arg-type]
        pictures=(
            picture("http://a.org/1", sha1="aa"),
            picture("http://a.org/2", sha1="bb"),
        ),
    )
    listed(catalogue, SourceOfTheTest(old))
    with catalogue.write() as connection:
        connection.execute(sa.update(url).values(fate="stored"))
    new = ListingPage(
        pictures=(
            picture("http://a.org/1", sha1="cc"),
            picture("http://a.org/2", sha1="bb"),
        )
    )
    source = SourceOfTheTest(new)
    begin(catalogue, as_source(source), refresh=True)
    listed(catalogue, source)
    assert fates(catalogue) == {"1": "pending", "2": "stored"}


def test_an_answer_that_another_runner_stored_is_not_stored_twice(
    catalogue: Catalogue,
) -> None:
    source = as_source(SourceOfTheTest())
    begin(catalogue, source, refresh=False)
    (listing,) = waiting_listings(catalogue, "test")
    pictures = (picture("http://a.org/1"),)
    half = ListingPage(**WHO, pictures=pictures, cursor="7", done=False)  # type: ignore[arg-type]
    store(catalogue, source, listing, half)
    store(catalogue, source, listing, ListingPage())
    (again,) = waiting_listings(catalogue, "test")
    assert again.task.cursor == "7"


def test_a_listing_that_fails_is_kept_and_the_others_go_on(
    catalogue: Catalogue,
) -> None:
    class Fails(SourceOfTheTest):
        async def step(self, task: Task, web: Web) -> ListingPage:
            if task.subject == "bad":
                raise Fault(FetchStatus.HTTP_ERROR, "no such category")
            return await super().step(task, web)

    tasks = (Task("images", "bad"), Task("images", "good"))
    done = listed(catalogue, Fails(ListingPage(tasks=tasks), ListingPage()))
    assert (done.pages, done.failed) == (2, 1)
    states = {row["subject"]: row["status"] for row in all_of(catalogue, discovery)}
    assert states == {"all": "done", "bad": "failed", "good": "done"}


class _SiteThatFails(SourceOfTheTest):
    """Its first listing leads to twelve others, which end as a test wants."""

    def __init__(self, *ends: Fault) -> None:
        tasks = tuple(Task("images", str(number)) for number in range(12))
        super().__init__(ListingPage(tasks=tasks))
        self._ends = ends

    async def step(self, task: Task, web: Web) -> ListingPage:
        if task.subject == "all":
            return await super().step(task, web)
        self.asked.append(task)
        end = self._ends[len(self.asked) % len(self._ends)]
        raise end


def _silent(**asked: Any) -> Fault:
    return Fault(FetchStatus.TIMEOUT, "no response", again=True, **asked)


@pytest.mark.parametrize("asked", [{}, {"http_status": 503, "wait": 600.0}])
def test_the_listings_of_a_site_without_an_answer_wait_for_the_next_run(
    catalogue: Catalogue, asked: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    site = _SiteThatFails(_silent(**asked))
    done = listed(catalogue, site)
    states = Counter(row["status"] for row in all_of(catalogue, discovery))
    assert states == {"done": 1, "failed": 5, "pending": 7}
    assert (done.failed, len(site.asked)) == (5, 6)
    assert "test: no answer to 5 listings in a row" in caplog.text
    listed(catalogue, site)
    states = Counter(row["status"] for row in all_of(catalogue, discovery))
    assert states == {"done": 1, "failed": 10, "pending": 2}


@pytest.mark.parametrize(
    "answer",
    [
        Fault(FetchStatus.HTTP_ERROR, "broken", http_status=500, again=True),
        Fault(FetchStatus.MISSING_PAGE, "no such page"),
    ],
)
def test_the_listings_of_a_site_that_answers_now_and_then_are_all_asked_for(
    catalogue: Catalogue, answer: Fault
) -> None:
    done = listed(catalogue, _SiteThatFails(answer, _silent(), _silent()))
    assert done.failed == 12
    assert waiting_listings(catalogue, "test", EVERYTHING) == []


def test_an_answer_that_a_source_does_not_expect_fails_that_listing_alone(
    catalogue: Catalogue,
) -> None:
    class Odd(SourceOfTheTest):
        async def step(self, task: Task, web: Web) -> ListingPage:
            if task.subject == "bad":
                raise KeyError("title")
            return await super().step(task, web)

    tasks = (Task("images", "bad"), Task("images", "good"))
    listed(catalogue, Odd(ListingPage(tasks=tasks), ListingPage()))
    rows = {row["subject"]: row for row in all_of(catalogue, discovery)}
    assert rows["good"]["status"] == "done"
    assert rows["bad"]["status"] == "failed"
    assert rows["bad"]["message"] == "cannot be read: KeyError: 'title'"


def test_rows_that_could_not_be_read_are_kept_with_the_listing(
    catalogue: Catalogue,
) -> None:
    faults = tuple(f"line {n}: bad_row" for n in range(7))
    source = SourceOfTheTest(
        ListingPage(faults=faults, done=False, cursor="1"), ListingPage()
    )
    assert listed(catalogue, source).faults == list(faults)
    (row,) = all_of(catalogue, discovery)
    assert "line 0: bad_row" in row["message"]
    assert "and 2 more" in row["message"]


def test_faults_of_later_pages_come_after_those_of_earlier_ones(
    catalogue: Catalogue,
) -> None:
    pages = [
        ListingPage(
            faults=tuple(f"line {n}: bad_row" for n in lines), done=False, cursor=cursor
        )
        for cursor, lines in (("1", "ab"), ("2", "cdef"), ("3", ""), ("4", "g"))
    ]
    listed(catalogue, SourceOfTheTest(*pages, ListingPage()))
    (row,) = all_of(catalogue, discovery)
    assert row["message"] == "\n".join(
        [*(f"line {n}: bad_row" for n in "abcde"), "and 2 more"]
    )


def test_faults_of_a_file_that_was_mended_are_not_shown_again(
    catalogue: Catalogue,
) -> None:
    one, two = (Task("images", f"list.csv {digit * 16}") for digit in "1a")
    found = Task("images", "http://w/2")
    pages = (
        ListingPage(faults=("line 2: bad_row",), tasks=(found,)),
        ListingPage(faults=("no name",)),
    )
    listed(catalogue, SourceOfTheTest(*pages, first=one))
    listed(catalogue, SourceOfTheTest(first=one))
    rows = {row["subject"]: row["message"] for row in all_of(catalogue, discovery)}
    assert rows == {one.subject: "line 2: bad_row", found.subject: "no name"}
    listed(catalogue, SourceOfTheTest(ListingPage(), first=two))
    rows = {row["subject"]: row["message"] for row in all_of(catalogue, discovery)}
    assert rows == {one.subject: None, found.subject: "no name", two.subject: None}


def test_an_earlier_version_of_a_file_is_not_listed_any_more(
    catalogue: Catalogue,
) -> None:
    one, two = (Task("images", f"list.csv {digit * 16}") for digit in "1a")
    other = Task("images", f"other.csv {'1' * 16}")
    half = ListingPage(cursor="7", done=False, tasks=(other,))
    assert listed(catalogue, SourceOfTheTest(half, first=one)).failed == 2
    source = SourceOfTheTest(ListingPage(), ListingPage(), first=two)
    assert count(catalogue, source, refresh=False) == 1
    listed(catalogue, source)
    assert count(catalogue, source, refresh=True) == 2
    begin(catalogue, as_source(source), refresh=True)
    assert [one.task for one in waiting_listings(catalogue, "test", count=9)] == [
        other,
        two,
    ]
    rows = {row["subject"]: row for row in all_of(catalogue, discovery)}
    assert (rows[one.subject]["status"], rows[one.subject]["message"]) == ("done", None)


def test_a_file_that_is_as_it_was_before_is_listed_again(catalogue: Catalogue) -> None:
    one, two = (Task("images", f"list.csv {digit * 16}") for digit in "1a")
    for first in (one, two, one, two):
        source = SourceOfTheTest(ListingPage(), first=first)
        assert count(catalogue, source, refresh=False) == 1
        listed(catalogue, source)
        assert source.asked == [first]
        assert count(catalogue, source, refresh=False) == 0
        assert listed(catalogue, source).pages == 0


def count(catalogue: Catalogue, source: SourceOfTheTest, *, refresh: bool) -> int:
    """How many listings a run would have."""
    return count_listings(catalogue, as_source(source), EVERYTHING, refresh=refresh)
