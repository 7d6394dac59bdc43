"""Limits and filters, on both databases: what an answer may bring, and what is told."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character, discovery, mention, url
from icf.codes import FetchStatus, Gender, Region
from icf.harvest.listing.discover import begin, store, waiting_listings
from icf.harvest.listing.limits import apply_limits
from icf.harvest.listing.resolve import resolve
from icf.harvest.sources.base import Album, Character, Level, ListingPage, Picture, Task
from icf.harvest.sources.rules import Limit, Only, Rules, Skip
from tests.catalogues import few_variables
from tests.harvest.rows import SourceOfTheTest, all_of, as_source


def albums(*names: str) -> ListingPage:
    """An answer with albums, and a task for the characters of each."""
    return ListingPage(
        albums=tuple(Album(name) for name in names),
        tasks=tuple(
            Task("characters", name, name, level=Level.CHARACTERS) for name in names
        ),
    )


def cast(*names: str, album: str = "Moon") -> ListingPage:
    """An answer with characters, and a task for the images of each."""
    return ListingPage(
        albums=(Album(album),),
        characters=tuple(Character(album, name) for name in names),
        tasks=tuple(Task("images", f"{album}/{name}", album, name) for name in names),
    )


def pictures(*numbers: int, name: str | None = "Luna") -> ListingPage:
    """An answer with pictures of one character, or of nobody in particular."""
    return ListingPage(
        albums=(Album("Moon"),),
        characters=(Character("Moon", name),) if name else (),
        pictures=tuple(Picture(f"http://a.org/{n}", "Moon", name) for n in numbers),
    )


def put(
    catalogue: Catalogue, rules: Rules, *answers: ListingPage, source: str = "test"
) -> ListingPage:
    """Store answers to the next tasks of a source; return what was let in last."""
    made = SourceOfTheTest()
    made.name = source
    kept = ListingPage()
    for answer in answers:
        subject = f"{source} {len(all_of(catalogue, discovery))}"
        with catalogue.write() as connection:
            connection.execute(
                sa.insert(discovery).values(
                    source=source,
                    task="list",
                    subject=subject,
                    level="images",
                    status="pending",
                    attempts=0,
                    changed_at=0.0,
                )
            )
        (listing,) = [
            one
            for one in waiting_listings(catalogue, source, count=1000)
            if one.task.subject == subject
        ]
        stored = store(catalogue, as_source(made), listing, answer, rules)
        assert stored is not None
        kept = stored
    return kept


def names(catalogue: Catalogue, table: sa.Table) -> list[str]:
    return [str(row["name"]) for row in all_of(catalogue, table)]


def passed_over(catalogue: Catalogue) -> int:
    return sum(row["passed_over"] for row in all_of(catalogue, discovery))


def asked_next(catalogue: Catalogue) -> list[str]:
    found = waiting_listings(catalogue, "test", count=100)
    return [listing.task.subject for listing in found]


def test_without_rules_a_page_stays_as_it_is(catalogue: Catalogue) -> None:
    page = resolve(as_source(SourceOfTheTest()), albums("Moon", "Sun"))
    with catalogue.write() as connection:
        assert apply_limits(connection, "test", Rules(), page).page is page


def test_albums_over_the_limit_are_counted_and_not_listed_further(
    catalogue: Catalogue,
) -> None:
    rules = Rules(limit=Limit(albums=2))
    put(catalogue, rules, albums("Moon"), albums("Moon", "Sun", "Star"))
    assert names(catalogue, album) == ["Moon", "Sun"]
    assert passed_over(catalogue) == 1
    assert asked_next(catalogue) == ["Moon", "Sun"]


def test_each_source_has_limits_of_its_own(catalogue: Catalogue) -> None:
    rules = Rules(limit=Limit(albums=1))
    put(catalogue, rules, albums("Moon"))
    put(catalogue, rules, albums("Sun", "Star"), source="other")
    assert names(catalogue, album) == ["Moon", "Sun"]


def test_an_album_known_from_another_source_takes_a_place_too(
    catalogue: Catalogue,
) -> None:
    put(catalogue, Rules(), albums("Moon", "Sun"), source="other")
    kept = put(catalogue, Rules(limit=Limit(albums=1)), albums("Sun", "Moon"))
    assert [one.name for one in kept.albums] == ["Sun"]
    again = put(catalogue, Rules(limit=Limit(albums=1)), albums("Moon"))
    assert (again.albums, again.passed_over) == ((), 1)


def test_characters_are_limited_for_each_album(catalogue: Catalogue) -> None:
    rules = Rules(limit=Limit(characters=1))
    put(catalogue, rules, cast("Luna", "Sol"), cast("Ray", "Luna", album="Sun"))
    assert names(catalogue, character) == ["Luna", "Ray"]
    assert passed_over(catalogue) == 2
    assert asked_next(catalogue) == ["Moon/Luna", "Sun/Ray"]


def test_images_are_limited_for_each_character(catalogue: Catalogue) -> None:
    rules = Rules(limit=Limit(images=2))
    put(catalogue, rules, pictures(1, 2, 3), pictures(2, 4, name="Sol"))
    put(catalogue, rules, pictures(1, 5))
    found = [row["url"][-1] for row in all_of(catalogue, url)]
    assert sorted(found) == ["1", "2", "4"]
    assert passed_over(catalogue) == 2


def test_images_of_a_whole_cast_are_limited_for_the_album(
    catalogue: Catalogue,
) -> None:
    rules = Rules(limit=Limit(images=2))
    put(catalogue, rules, cast("Luna", "Sol"), pictures(1, 2, 3, name=None))
    put(catalogue, rules, pictures(4, name=None), pictures(5))
    found = [row["url"][-1] for row in all_of(catalogue, url)]
    assert sorted(found) == ["1", "2", "5"]


def test_what_can_never_be_fetched_takes_no_place(catalogue: Catalogue) -> None:
    missing = ListingPage(
        albums=(Album("Moon"),),
        characters=(Character("Moon", "Luna"),),
        pictures=(
            Picture("http://a.org/x", "Moon", "Luna", fate=FetchStatus.MISSING_FILE),
            Picture("ftp://a.org/y", "Moon", "Luna"),
        ),
    )
    rules = Rules(limit=Limit(images=2))
    put(catalogue, rules, missing, pictures(1, 2, 3))
    states = [row["fate"] for row in all_of(catalogue, url)]
    assert sorted(states) == ["bad_scheme", "missing_file", "pending", "pending"]


def test_a_url_that_cannot_be_fetched_takes_no_place_on_its_own_page(
    catalogue: Catalogue,
) -> None:
    mixed = ListingPage(
        albums=(Album("Moon"),),
        characters=(Character("Moon", "Luna"),),
        pictures=(
            Picture("ftp://a.org/y", "Moon", "Luna"),
            Picture("http://a.org/1", "Moon", "Luna"),
            Picture("http://[/", "Moon", "Luna"),
        ),
    )
    put(catalogue, Rules(limit=Limit(images=1)), mixed)
    states = [row["fate"] for row in all_of(catalogue, url)]
    assert sorted(states) == ["bad_scheme", "bad_url", "pending"]
    assert passed_over(catalogue) == 0


def test_filters_look_at_names_regions_ranks_and_genders(catalogue: Catalogue) -> None:
    rules = Rules(
        only=Only(region=("japan",), max_rank=10, gender=("female",)),
        skip=Skip(album=("*spin-off*",)),
    )
    answer = ListingPage(
        albums=(
            Album("Moon", rank=1, region=Region.JAPAN),
            Album("Moon spin-off", rank=2, region=Region.JAPAN),
            Album("Sun", rank=3, region=Region.CHINA),
            Album("Star", rank=30, region=Region.JAPAN),
        ),
        characters=(
            Character("Moon", "Luna", gender=Gender.FEMALE),
            Character("Moon", "Tom", gender=Gender.MALE),
            Character("Sun", "Sol", gender=Gender.FEMALE),
        ),
        pictures=(Picture("http://a.org/1", "Sun", "Sol"),),
    )
    put(catalogue, rules, answer)
    assert names(catalogue, album) == ["Moon"]
    assert names(catalogue, character) == ["Luna"]
    assert all_of(catalogue, url) == []
    assert passed_over(catalogue) == 6


def test_what_the_source_left_out_is_counted_with_the_rest(
    catalogue: Catalogue,
) -> None:
    answer = ListingPage(albums=(Album("Moon"), Album("Sun")), passed_over=7)
    put(catalogue, Rules(skip=Skip(album=("Sun",))), answer)
    put(catalogue, Rules(), ListingPage(passed_over=1))
    assert passed_over(catalogue) == 9


def test_pictures_are_left_out_by_their_urls(catalogue: Catalogue) -> None:
    put(catalogue, Rules(skip=Skip(image=("*/2",))), pictures(1, 2, 3))
    assert [row["url"][-1] for row in all_of(catalogue, url)] == ["1", "3"]


def test_albums_have_the_style_of_their_source_unless_it_says_another(
    catalogue: Catalogue,
) -> None:
    listed = ListingPage(albums=(Album("Moon", style="manga"), Album("Sun")))
    put(catalogue, Rules(style="Flat  vector"), listed)
    styles = {row["name"]: row["style"] for row in all_of(catalogue, album)}
    assert styles == {"Moon": "manga", "Sun": "flat vector"}


def test_a_later_answer_fills_in_what_was_not_known(catalogue: Catalogue) -> None:
    first = ListingPage(
        albums=(Album("Moon", rank=3),), characters=(Character("Moon", "Luna"),)
    )
    later = ListingPage(
        albums=(Album("Moon", "http://w/Moon", 9, Region.JAPAN),),
        characters=(Character("Moon", "Luna", "http://w/Luna", Gender.FEMALE),),
    )
    last = ListingPage(
        albums=(Album("Moon", region=Region.CHINA),),
        characters=(Character("Moon", "Luna", gender=Gender.MALE),),
    )
    put(catalogue, Rules(), first)
    put(catalogue, Rules(), later, last, source="other")
    (moon,) = all_of(catalogue, album)
    (luna,) = all_of(catalogue, character)
    assert (moon["source"], moon["rank"], moon["region"]) == ("test", 3, "japan")
    assert moon["page_url"] == "http://w/Moon"
    assert (luna["gender"], luna["page_url"]) == ("female", "http://w/Luna")


def test_what_a_page_names_twice_has_what_either_says(catalogue: Catalogue) -> None:
    page = ListingPage(
        albums=(Album("Moon", rank=3), Album("Moon", rank=9, region=Region.JAPAN)),
        characters=(
            Character("Moon", "Luna", gender=Gender.FEMALE),
            Character("Moon", "Luna", "http://w/Luna"),
        ),
    )
    rules = Rules(only=Only(gender=("female",), max_rank=5, region=("japan",)))
    put(catalogue, rules, page)
    (moon,) = all_of(catalogue, album)
    (luna,) = all_of(catalogue, character)
    assert (moon["rank"], moon["region"]) == (3, "japan")
    assert (luna["gender"], luna["page_url"]) == ("female", "http://w/Luna")
    assert passed_over(catalogue) == 0


def test_a_region_that_another_source_knows_counts(catalogue: Catalogue) -> None:
    known = ListingPage(albums=(Album("Moon", region=Region.JAPAN),))
    put(catalogue, Rules(), known, source="other")
    kept = put(catalogue, Rules(only=Only(region=("japan",))), albums("Moon", "Sun"))
    assert [one.name for one in kept.albums] == ["Moon"]


def _endless(catalogue: Catalogue, rules: Rules, pages: Iterable[str]) -> list[str]:
    """Answer one listing of albums, an album a page, for as long as it is asked."""
    source = as_source(SourceOfTheTest())
    asked = []
    for name in pages:
        found = waiting_listings(catalogue, "test", count=100)
        listings = [one for one in found if one.task.kind == "all"]
        if not listings:
            break
        asked.append(name)
        page = ListingPage(albums=(Album(name),), cursor=name, done=False)
        store(catalogue, source, listings[0], page, rules)
    return asked


class Endless(SourceOfTheTest):
    def first_tasks(self) -> list[Task]:
        return [Task("all", "all", cursor="first", level=Level.ALBUMS)]


def test_a_listing_that_can_bring_nothing_more_ends_and_a_refresh_begins_it_again(
    catalogue: Catalogue,
) -> None:
    source = as_source(Endless())
    begin(catalogue, source, refresh=False)
    pages = [f"album {n}" for n in range(9)]
    assert len(_endless(catalogue, Rules(limit=Limit(albums=2)), pages)) == 3
    (row,) = all_of(catalogue, discovery)
    assert (row["status"], row["cursor"], row["passed_over"]) == ("limited", "first", 1)
    begin(catalogue, source, refresh=False)
    assert asked_next(catalogue) == []
    begin(catalogue, source, refresh=True)
    assert len(_endless(catalogue, Rules(limit=Limit(albums=4)), pages)) == 5
    assert names(catalogue, album) == pages[:4]
    assert passed_over(catalogue) == 1


@pytest.mark.parametrize("images", [1, 4])
def test_two_runners_together_hold_a_limit(catalogue: Catalogue, images: int) -> None:
    rules = Rules(limit=Limit(images=images))
    with catalogue.write() as connection:
        connection.execute(
            sa.insert(discovery),
            [
                {
                    "source": "test",
                    "task": "list",
                    "subject": f"{n}",
                    "status": "pending",
                    "changed_at": 0.0,
                }
                for n in range(8)
            ],
        )
    source = as_source(SourceOfTheTest())
    found = waiting_listings(catalogue, "test", count=8)
    with ThreadPoolExecutor(4) as runners:
        done = [
            runners.submit(store, catalogue, source, one, pictures(n), rules)
            for n, one in enumerate(found)
        ]
    kept = [one.result() for one in done]
    assert sum(len(one.pictures) for one in kept if one is not None) == images
    assert len(all_of(catalogue, url)) == images


_EXAMPLES = count()


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    answers=st.lists(st.lists(st.integers(0, 9), max_size=8), min_size=1, max_size=5),
    limit=st.integers(1, 5),
)
def test_however_pictures_come_a_limit_holds_and_nothing_is_lost_without_a_count(
    sqlite_catalogue: Catalogue, answers: list[list[int]], limit: int
) -> None:
    name = f"example {next(_EXAMPLES)}"  # the catalogue keeps those before
    made = [
        ListingPage(
            albums=(Album(name),),
            characters=(Character(name, "Luna"),),
            pictures=tuple(Picture(f"http://a/{name}/{n}", name, "Luna") for n in one),
        )
        for one in answers
    ]
    rules = Rules(limit=Limit(images=limit))
    kept = [put(sqlite_catalogue, rules, one, source=name) for one in made]
    rows = [row for row in all_of(sqlite_catalogue, url) if row["source"] == name]
    assert len(rows) == min(limit, len({n for one in answers for n in one}))
    for one, let_in in zip(made, kept, strict=True):
        assert len(one.pictures) == len(let_in.pictures) + let_in.passed_over


def test_a_page_may_name_more_than_a_query_takes_values(
    sqlite_catalogue: Catalogue,
) -> None:
    few_variables(sqlite_catalogue)
    many = range(1200)
    page = ListingPage(
        albums=tuple(Album(f"a{n}") for n in many),
        characters=tuple(Character(f"a{n}", f"c{n}") for n in many),
        pictures=tuple(
            Picture(f"http://a.org/{n}", f"a{n}", f"c{n}" if n % 2 else None)
            for n in many
        ),
    )
    limit = Limit(albums=1100, characters=1, images=1)
    kept = put(sqlite_catalogue, Rules(limit=limit), page)
    assert (len(kept.albums), len(kept.pictures), kept.passed_over) == (1100, 1100, 300)
    assert len(all_of(sqlite_catalogue, mention)) == 1100
