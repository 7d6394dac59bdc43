"""What becomes of titles: other spellings, redirects, pages that are not there."""

import pytest

from icf.codes import FetchStatus, Gender, Region
from icf.harvest.fault import Fault
from icf.harvest.sources.base import Album, Level, ListingPage, Task
from tests.harvest.sources.mediawiki.asked import described, source, step
from tests.harvest.wire import Site

CAST = Task(
    "character titles", "Moon: 1", "Moon", None, '{"listed": ["luna", "Vega", "S|l"]}'
)


def messages(found: ListingPage) -> list[str]:
    return [str(one.message) for one in found.pictures]


def test_titles_are_followed_through_spellings_and_redirects(site: Site) -> None:
    said = described({"title": "Luna (fox)"}, {"title": "Vega"})
    said["query"]["normalized"] = [{"from": "luna", "to": "Luna"}]
    said["query"]["redirects"] = [{"from": "Luna", "to": "Luna (fox)"}]
    found = step(site, CAST, said)
    assert [one.name for one in found.characters] == ["Luna (fox)", "Vega"]
    assert [task.level for task in found.tasks] == [Level.IMAGES] * 2
    assert messages(found) == ["wiki has no page 'S|l': it is no title"]


def test_a_spelling_that_the_site_had_to_encode_is_known_again(site: Site) -> None:
    # As sites answer a title that is not in Unicode's composed form.
    cafe = "Cafe\u0301"
    task = Task(
        "album titles", "t", None, None, f'{{"listed": [["{cafe}", 2, "japan"]]}}'
    )
    said = described({"title": "Caf\u00e9"})
    said["query"]["normalized"] = [
        {"fromencoded": True, "from": "Cafe%CC%81", "to": "Caf\u00e9"}
    ]
    found = step(site, task, said)
    assert found.albums == (Album("Caf\u00e9", None, 2, Region.JAPAN),)


def test_each_page_that_cannot_be_gone_on_with_is_told(site: Site) -> None:
    said = described({"title": "Moon", "fullurl": "http://w/Moon"})
    said["query"]["redirects"] = [{"from": "Luna", "to": "Moon", "tofragment": "Cast"}]
    said["query"]["normalized"] = [{"from": "luna", "to": "Luna"}]
    said["query"]["interwiki"] = [{"title": "Vega", "iw": "ve"}]
    found = step(site, CAST, said)
    assert found.characters == ()
    assert {one.fate for one in found.pictures} == {FetchStatus.MISSING_PAGE}
    assert len({one.url for one in found.pictures}) == 3
    assert found.pictures[2].url.endswith("/api.php?action=query&titles=S%7Cl")
    assert messages(found)[:2] == [
        "wiki has no page 'luna': it is the part 'Cast' of the page 'Moon'",
        "wiki has no page 'Vega': it is on another wiki",
    ]


def test_redirects_in_a_circle_end(site: Site) -> None:
    said = described()
    said["query"]["redirects"] = [
        {"from": "Vega", "to": "Luna"},
        {"from": "Luna", "to": "Vega"},
    ]
    assert len(step(site, CAST, said).pictures) == 3


def test_an_infobox_and_then_the_categories_tell_the_gender(site: Site) -> None:
    text = {"slots": {"main": {"content": "{{Box|sex=Male}}"}}}
    women = [{"title": "Kategorie:Female characters"}]
    said = described(
        {"title": "Luna", "categories": women},
        {"title": "Vega", "revisions": [text], "categories": women},
    )
    said["query"]["normalized"] = [{"from": "luna", "to": "Luna"}]
    found = step(site, CAST, said)
    assert [one.gender for one in found.characters] == [Gender.FEMALE, Gender.MALE]


def test_the_wiki_is_asked_for_the_names_of_an_infobox_as_they_are_written(
    site: Site,
) -> None:
    keys = {"characters": {"parameter": "cast"}}
    task = Task("character infobox", "Moon", "Moon", level=Level.CHARACTERS)
    text = {"slots": {"main": {"content": "{{Box|cast=[[iCarly]], [[ანა]]}}"}}}
    said = described({"title": "Moon", "revisions": [text]})
    (named,) = step(site, task, said, **keys).tasks
    pages = described({"title": "iCarly"}, {"title": "ანა"})
    found = step(site, named, pages, **keys)
    assert [one.name for one in found.characters] == ["iCarly", "ანა"]


def test_an_infobox_that_names_nobody_is_a_fault(site: Site) -> None:
    keys = {"characters": {"parameter": "cast"}}
    task = Task("character infobox", "Moon", "Moon", level=Level.CHARACTERS)
    text = {"slots": {"main": {"content": "{{Box|sex=m}}"}}}
    said = described({"title": "Moon", "revisions": [text]})
    (fault,) = step(site, task, said, **keys).faults
    assert fault == "the infobox of 'Moon' has no parameter 'cast'"


def test_a_page_that_the_site_refuses_to_draw_is_not_one_that_is_missing(
    site: Site,
) -> None:
    keys = {"albums": {"page": "List"}}
    (task,) = source("", **keys).first_tasks()
    assert task.level is Level.ALBUMS
    gone = {"error": {"code": "missingtitle", "info": "no such page"}}
    (missing,) = step(site, task, gone, **keys).pictures
    assert missing.fate is FetchStatus.MISSING_PAGE
    refused = {"error": {"code": "readapidenied", "info": "log in"}}
    with pytest.raises(Fault, match="readapidenied"):
        step(site, task, refused, **keys)


def test_a_listing_of_an_older_version_fails_by_itself(site: Site) -> None:
    with pytest.raises(Fault, match="nothing lists 'album' any more"):
        step(site, Task("album", "Moon"))
