"""What a wiki's answers become; a real wiki is asked in tests/integration."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.listing.resolve import resolve
from icf.harvest.sources.base import (
    Album,
    Character,
    Level,
    ListingPage,
    Source,
    Task,
)
from tests.harvest.sources.mediawiki.asked import (
    RIGHTS,
    described,
    file,
    members,
    source,
    step,
)
from tests.harvest.wire import Site

# --- albums --------------------------------------------------------------------------


def test_listing_begins_with_the_category_of_albums() -> None:
    (task,) = source("http://w/api.php").first_tasks()
    assert (task.kind, task.subject) == ("albums", "Category:Series")


def test_pages_of_the_category_are_albums_and_lead_to_their_characters(
    site: Site,
) -> None:
    (first,) = source("").first_tasks()
    page = {"title": "Moon", "canonicalurl": "http://w/Moon"}
    found = step(site, first, members("Moon", "Category:Old"), described(page))
    assert found.albums == (Album("Moon", "http://w/Moon"),)
    (task,) = found.tasks
    assert (task.kind, task.album) == ("characters", "Moon")
    assert task.subject == "Moon: Category:Moon characters"


def test_subcategories_are_followed_as_deep_as_asked(site: Site) -> None:
    deep = {"category": "Series", "depth": 1}
    (first,) = source("", albums=deep).first_tasks()
    top = step(site, first, members("Category:Old"), albums=deep)
    (below,) = top.tasks
    assert (below.kind, below.subject) == ("albums", "Category:Old")
    # The circle back to the top is too deep, and the frontier knows its name.
    assert step(site, below, members("Category:Series"), albums=deep).tasks == ()


def test_a_long_category_goes_on_where_it_was(site: Site) -> None:
    (first,) = source("").first_tasks()
    rest = {"cmcontinue": "page|7"}
    found = step(site, first, members("Moon", rest=rest), described({"title": "Moon"}))
    assert not found.done
    again = Task("albums", "Category:Series", cursor=found.cursor)
    assert step(site, again, members("Sun"), described({"title": "Sun"})).done
    assert "cmcontinue=page%7C7" in site.asked[-2]


def test_albums_can_be_named_one_by_one(site: Site) -> None:
    keys = {"albums": {"titles": ["Moon", "Sunn"]}}
    (task,) = source("", **keys).first_tasks()
    # "Moon" is a redirect to "Moon Rabbits".
    said = described(
        {"title": "Moon Rabbits"},
        {"title": "Sunn", "missing": True, "fullurl": "http://w/Sunn"},
    )
    said["query"]["redirects"] = [{"from": "Moon", "to": "Moon Rabbits"}]
    found = step(site, task, said, **keys)
    assert "titles=Moon%7CSunn" in site.asked[-1]
    assert found.albums == (Album("Moon Rabbits"),)
    (missing,) = found.pictures
    assert (missing.fate, missing.url) == (FetchStatus.MISSING_PAGE, "http://w/Sunn")


# --- characters ----------------------------------------------------------------------

CHARACTERS = Task("characters", "Moon: Category:Moon characters", "Moon")


def test_members_are_characters_with_their_pages(site: Site) -> None:
    page = {"title": "Luna", "canonicalurl": "http://w/Luna"}
    found = step(site, CHARACTERS, members("Luna"), described(page))
    assert "cmtitle=Category%3AMoon+characters" in site.asked[0]
    assert found.characters == (Character("Moon", "Luna", "http://w/Luna"),)
    (task,) = found.tasks
    assert (task.kind, task.album, task.character) == ("images", "Moon", "Luna")


@pytest.mark.parametrize(
    "page",
    [
        {"pageimage": "Luna_portrait.png"},
        {
            "revisions": [
                {"slots": {"main": {"content": "{{Box|image = luna portrait.png}}"}}}
            ]
        },
        {"revisions": [{"slots": {"main": {"content": "[[File:Luna portrait.png]]"}}}]},
    ],
)
def test_the_lead_picture_is_the_pages_own_or_the_first_in_its_text(
    site: Site, page: dict[str, Any]
) -> None:
    found = step(
        site, CHARACTERS, members("Luna"), described({"title": "Luna", **page})
    )
    assert json.loads(found.tasks[0].cursor or "")["lead"] == "Luna portrait.png"


# --- pictures ------------------------------------------------------------------------

IMAGES = Task("images", "Moon: Luna", "Moon", "Luna", '{"lead": "Luna A.png"}')


def test_files_of_a_page_are_its_pictures(site: Site) -> None:
    known = file(
        "Luna A.png",
        sha1="ABC",
        size=7,
        descriptionurl="http://w/File:Luna_A.png",
        extmetadata={"LicenseShortName": {"value": "CC0"}, "Artist": {"value": "J"}},
    )
    other = {**file("B.png"), "templates": [{"title": "Template:PD-old"}]}
    plain = file("C.png")
    found = step(site, IMAGES, RIGHTS, described(known, other, plain))
    first, second, third = found.pictures
    assert (first.url, first.sha1, first.size) == (
        "http://w/images/Luna_A.png",
        "abc",
        7,
    )
    assert (first.album, first.character, first.is_lead) == ("Moon", "Luna", True)
    assert first.page_url == "http://w/File:Luna_A.png"
    assert (first.licence.name, first.licence.author) == ("CC0", "J")
    assert (second.licence.read_from, second.is_lead) == ("template", False)
    assert (third.licence.name, third.licence.read_from) == ("CC-BY-SA", "site")
    assert found.done


def test_a_page_with_many_files_keeps_its_lead_over_the_batches(site: Site) -> None:
    half = {**described(file("B.png")), "continue": {"gimcontinue": "7|C.png"}}
    found = step(site, IMAGES, RIGHTS, half)
    assert not found.done
    again = Task("images", "Moon: Luna", "Moon", "Luna", found.cursor)
    last = step(site, again, RIGHTS, described(file("Luna A.png")))
    assert last.pictures[0].is_lead


def test_a_file_the_site_does_not_have_is_told(site: Site) -> None:
    gone = {"title": "File:Gone.png", "missing": True, "fullurl": "http://w/Gone"}
    (picture,) = step(site, IMAGES, RIGHTS, described(gone)).pictures
    assert (picture.fate, picture.url) == (FetchStatus.MISSING_FILE, "http://w/Gone")
    assert picture.character == "Luna"


def test_files_that_come_without_imageinfo_are_asked_for_again(site: Site) -> None:
    silent = {"title": "File:A.png"}
    never = {"title": "File:B.png"}
    found = step(
        site,
        IMAGES,
        RIGHTS,
        described(silent, never),
        described(file("A.png"), never),
    )
    assert "titles=File%3AA.png%7CFile%3AB.png" in site.asked[-1]
    assert [p.fate for p in found.pictures] == [
        FetchStatus.PENDING,
        FetchStatus.MISSING_FILE,
    ]


def test_fandom_is_asked_for_the_bytes_that_were_uploaded(site: Site) -> None:
    url = "https://static.wikia.nocookie.net/a/b.png/revision/latest?cb=1"
    page = {"title": "File:B.png", "imageinfo": [{"url": url}]}
    (picture,) = step(site, IMAGES, RIGHTS, described(page)).pictures
    assert picture.url == url + "&format=original"


# --- titles that are more than their names --------------------------------------------

INVISIBLE = ["Lu\u200bna", "Lu\u00adna", "Lu\u2060na", "Lu\ufeffna"]


def stored(found: ListingPage) -> list[Task]:
    """The tasks of a page, as the catalogue gives them back."""
    wiki = cast(Source, source("http://w/api.php"))
    return list(resolve(wiki, found).tasks)


def asked(site: Site, key: str) -> list[str]:
    """The values of a parameter of the last calls, in their order."""
    queries = (parse_qs(urlsplit(path).query) for path in site.asked)
    return [query[key][0] for query in queries if key in query]


@pytest.mark.parametrize("title", INVISIBLE)
def test_a_wiki_is_asked_for_a_page_by_its_own_title(site: Site, title: str) -> None:
    page = described({"title": title})
    (images,) = stored(step(site, CHARACTERS, members(title), page))
    assert images.character == "Luna"
    (picture,) = step(site, images, RIGHTS, described(file("L.png"))).pictures
    assert picture.character == "Luna"
    assert asked(site, "titles")[-1] == title


@pytest.mark.parametrize("title", INVISIBLE)
def test_an_albums_own_title_leads_to_its_characters_and_their_pictures(
    site: Site, title: str
) -> None:
    images = {"images": {"page": "none", "category": "{character} in {album}"}}
    (first,) = source("").first_tasks()
    (cast,) = stored(step(site, first, members(title), described({"title": title})))
    assert cast.album == "Luna"
    found = step(site, cast, members("Sol"), described({"title": "Sol"}), **images)
    assert asked(site, "cmtitle")[-1] == f"Category:{title} characters"
    (files,) = stored(found)
    step(site, files, RIGHTS, described(file("L.png")), **images)
    assert asked(site, "gcmtitle")[-1] == f"Category:Sol in {title}"


@pytest.mark.parametrize("title", INVISIBLE)
def test_an_albums_infobox_and_page_are_found_by_its_own_title(
    site: Site, title: str
) -> None:
    (first,) = source("").first_tasks()
    album = members(title), described({"title": title})
    infobox = {"characters": {"parameter": "cast"}}
    (cast,) = stored(step(site, first, *album, **infobox))
    text = {"slots": {"main": {"content": "{{Box|cast=[[Sol]]}}"}}}
    (named,) = stored(
        step(site, cast, described({"title": title, "revisions": [text]}), **infobox)
    )
    assert asked(site, "titles")[-1] == title
    (images,) = stored(step(site, named, described({"title": "Sol"}), **infobox))
    assert (images.album, images.character) == ("Luna", "Sol")
    linked = {"characters": {"page": "Cast of {album}"}}
    (cast,) = stored(step(site, first, *album, **linked))
    html = '<a href="/wiki/Sol" title="Sol">Sol</a>'
    page = {
        "title": f"Cast of {title}",
        "text": html,
        "links": [{"ns": 0, "title": "Sol"}],
    }
    step(site, cast, {"parse": page}, **linked)
    assert asked(site, "page")[-1] == f"Cast of {title}"


# --- icf.toml ------------------------------------------------------------------------


UNREADABLE: list[object] = [
    {"query": {"pages": ["x"]}},
    {"query": {"categorymembers": [{"ns": 0}]}},
    {"query": {"categorymembers": [{"ns": 0, "title": "A"}], "pages": [3]}},
]


@pytest.mark.parametrize("said", UNREADABLE, ids=json.dumps)
def test_what_no_wiki_answers_is_a_fault_of_that_listing(
    site: Site, said: object
) -> None:
    listing = Task("albums", "Category:Series")
    with pytest.raises(Fault, match="not an answer of an api") as caught:
        step(site, listing, said)
    assert caught.value.fate is FetchStatus.HTTP_ERROR


@pytest.mark.parametrize("empty", [[], None, {}], ids=json.dumps)
def test_what_is_empty_can_be_a_list_or_null(site: Site, empty: object) -> None:
    files = described({**file("Luna A.png"), "templates": empty})
    keys = ("rightsinfo", "namespaces", "namespacealiases")
    for facts in ({"query": empty}, {"query": dict.fromkeys(keys, empty)}):
        found = step(site, IMAGES, facts, {**files, "continue": empty})
        assert [each.url for each in found.pictures] == ["http://w/images/Luna_A.png"]
        assert found.done


def test_a_page_whose_text_does_not_come_is_a_character_all_the_same(
    site: Site,
) -> None:
    pages: list[dict[str, Any]] = [
        {"ns": 0, "title": "A", "revisions": None, "categories": None},
        {"ns": 0, "title": "B", "revisions": ["x"]},
        {"ns": 0, "title": "C", "revisions": [{"slots": [], "content": "x"}]},
    ]
    found = step(site, CHARACTERS, members("A", "B", "C"), described(*pages))
    assert [each.name for each in found.characters] == ["A", "B", "C"]


def test_a_batch_that_leads_to_itself_is_a_fault(site: Site) -> None:
    rest = {"cmcontinue": "page|7"}
    said = members("Luna", rest=rest)
    cursor = json.dumps({"depth": 0, "continue": rest})
    again = Task("characters", CHARACTERS.subject, "Moon", cursor=cursor)
    with pytest.raises(Fault, match="came twice"):
        step(site, again, said)


def all_steps(
    site: Site, task: Task, batches: Iterable[tuple[object, ...]]
) -> list[ListingPage]:
    """Answer a task, batch by batch."""
    pages: list[ListingPage] = []
    for said in batches:
        pages.append(step(site, task, *said))
        task = replace(task, cursor=pages[-1].cursor)
    return pages


@pytest.mark.parametrize("repeats", ["its tokens", "what it lists"])
def test_a_list_of_many_batches_that_leads_in_a_circle_ends(
    site: Site, repeats: str
) -> None:
    batches: list[tuple[object, ...]] = []
    for number in range(10):
        name = f"Luna {number}" if repeats == "its tokens" else "Luna"
        token = number % 3 if repeats == "its tokens" else number
        said = members(name, rest={"cmcontinue": f"page|{token}"})
        batches.append((said, described({"ns": 0, "title": name})))
    with pytest.raises(Fault, match=r"^http://.*/api.php: .* came twice$"):
        all_steps(site, CHARACTERS, batches)


@pytest.mark.parametrize("batches", [1, 2, 3, 8])
def test_pictures_in_a_circle_of_batches_end(site: Site, batches: int) -> None:
    task = Task("images", "Moon: Luna", "Moon", "Luna", level=Level.IMAGES)
    circle: list[tuple[object, ...]] = []
    for number in range(batches):
        rest = {"continue": {"gimcontinue": str(number)}}
        circle.append((RIGHTS, {**described(file(f"{number}.png")), **rest}))
    with pytest.raises(Fault, match="came twice"):
        all_steps(site, task, 4 * circle)


def test_a_long_list_ends_with_the_state_that_it_began_with(site: Site) -> None:
    task = Task("images", "Moon: Luna", "Moon", "Luna", '{"lead": "a"}', Level.IMAGES)
    batches: list[tuple[object, ...]] = []
    for number in range(20):
        rest = {"continue": {"gimcontinue": str(number)}} if number < 19 else {}
        batches.append((RIGHTS, {**described(file(f"{number}.png")), **rest}))
    *before, last = all_steps(site, task, batches)
    assert all(len(each.cursor or "") < 200 for each in before)
    assert (last.done, last.cursor) == (True, '{"lead": "a"}')


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"characterz": {}}, "unknown key 'characterz'; the nearest .* 'characters'"),
        ({"albums": {"categorie": "x"}}, "nearest known one is 'category'"),
        ({"albums": {}}, "name one of category, titles and page"),
        ({"characters": None}, "characters"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_key_is_an_error_that_names_the_right_one(
    keys: dict[str, object], message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        source("http://w/api.php", **keys)
