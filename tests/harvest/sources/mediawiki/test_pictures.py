"""Which files of a wiki are pictures of somebody."""

import json
from typing import Any

import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.base import Level, ListingPage, Task
from tests.harvest.sources.mediawiki.asked import RIGHTS, described, file, step
from tests.harvest.wire import Site

IMAGES = Task("images", "Moon: Luna", "Moon", "Luna", '{"lead": "Luna.png"}')


def shown(name: str, count: int) -> dict[str, Any]:
    uses = [{"pageid": number} for number in range(count)]
    return {"title": f"File:{name}", "fileusage": uses}


def more(token: str) -> dict[str, Any]:
    return {"continue": {"fucontinue": token, "continue": "||"}}


def names(found: ListingPage) -> list[str]:
    return [one.url.rpartition("/")[2] for one in found.pictures]


def test_files_that_many_pages_show_are_left_out_but_the_lead_is_not(
    site: Site,
) -> None:
    found = step(
        site,
        IMAGES,
        RIGHTS,
        described(file("Luna.png"), file("Star.png"), file("Sun.png")),
        described(shown("Star.png", 3), shown("Sun.png", 2)),
        images={"max_uses": 2},
    )
    assert names(found) == ["Luna.png", "Sun.png"]
    assert found.passed_over == 1
    assert "Luna" not in site.asked[-1]


def test_uses_are_counted_over_answers_until_a_file_has_too_many(site: Site) -> None:
    found = step(
        site,
        IMAGES,
        RIGHTS,
        described(file("A.png"), file("B.png"), file("C.png")),
        {**described(shown("A.png", 1)), **more("9")},
        {**described(shown("A.png", 2), shown("B.png", 1)), **more("12")},
        described(shown("B.png", 2), shown("C.png", 0)),
        images={"max_uses": 2},
    )
    assert names(found) == ["B.png", "C.png"]
    assert "fucontinue=9" in site.asked[-2]
    # A.png has too many: nobody asks for the rest of its uses.
    assert "fucontinue" not in site.asked[-1]
    assert "A.png" not in site.asked[-1]


def test_uses_are_read_in_the_older_form_too(site: Site) -> None:
    older = {"query": {"pages": {"17": shown("A.png", 3), "18": shown("B.png", 1)}}}
    files = described(file("A.png"), file("B.png"))
    found = step(site, IMAGES, RIGHTS, files, older, images={"max_uses": 2})
    assert names(found) == ["B.png"]


def test_uses_that_lead_in_a_circle_are_a_fault(site: Site) -> None:
    circle = {**described(shown("A.png", 1)), **more("1|1")}
    files = described(file("A.png"))
    with pytest.raises(Fault, match="came twice"):
        step(site, IMAGES, RIGHTS, files, circle, images={"max_uses": 9})


@pytest.mark.parametrize("size", [-1, 1 << 63, 10**30, "12", None])
def test_a_size_that_no_file_has_is_not_known(site: Site, size: object) -> None:
    found = step(site, IMAGES, RIGHTS, described(file("A.png", size=size)))
    assert [each.size for each in found.pictures] == [None]


def test_small_files_and_other_media_are_left_out(site: Site) -> None:
    found = step(
        site,
        IMAGES,
        RIGHTS,
        described(
            file("Icon.png", width=16, height=400),
            file("Song.ogg", mime="application/ogg", width=0, height=0),
            file("Old.png", width=0, height=0),
            file("Face.png", width=50, height=50, mime="image/png"),
        ),
    )
    assert names(found) == ["Old.png", "Face.png"]
    assert found.passed_over == 2


def test_files_are_left_out_by_the_pattern_of_their_names(site: Site) -> None:
    images = {"max_uses": 0, "leave_out": ["*_icon.*", "Wiki[ -]logo*"]}
    files = [file("Star ICON.png"), file("wiki-logo 2.svg"), file("Iconic.png")]
    found = step(site, IMAGES, RIGHTS, described(*files), images=images)
    assert names(found) == ["Iconic.png"]


def test_a_smaller_version_stands_by_for_an_upload_that_is_gone(site: Site) -> None:
    upload = {"url": "http://w/images/a/ab/Big_one.png", "width": 1000}
    fandom = {
        "url": "https://s.wikia.nocookie.net/m/images/1/1c/A.png",
        "width": 900,
    }
    files = [file("Big one.png", **upload), file("A.png", **fandom)]
    big, webp = step(site, IMAGES, RIGHTS, described(*files)).pictures
    thumb = "http://w/images/thumb/a/ab/Big_one.png/960px-Big_one.png"
    assert big.fallbacks == (thumb,)
    assert webp.url == f"{fandom['url']}?format=original"
    assert webp.fallbacks == (fandom["url"],)


@pytest.mark.parametrize("written", ["//{host}/i/A.png", "/i/A.png"])
def test_an_address_without_its_scheme_is_of_the_wiki(site: Site, written: str) -> None:
    page = file("A.png", url=written.format(host=site.host))
    (picture,) = step(site, IMAGES, RIGHTS, described(page)).pictures
    assert picture.url == f"http://{site.host}/i/A.png"


def test_a_file_of_a_shared_repository_is_not_missing(site: Site) -> None:
    shared = {**file("A.png", sha1="AB"), "missing": True, "known": True}
    (picture,) = step(site, IMAGES, RIGHTS, described(shared)).pictures
    assert (picture.fate, picture.sha1) == (FetchStatus.PENDING, "ab")


def test_a_missing_file_is_told_by_older_sites_with_an_empty_word(site: Site) -> None:
    gone = {"title": "File:A.png", "missing": ""}
    (picture,) = step(site, IMAGES, RIGHTS, described(gone)).pictures
    assert picture.fate is FetchStatus.MISSING_FILE
    assert len(site.asked) == 2


# --- galleries ------------------------------------------------------------------------

GALLERY = Task(
    "galleries",
    "Moon: Luna",
    "Moon",
    "Luna",
    '{"page": "Luna/Gallery", "lead": "L.png"}',
)
GERMAN = {
    "query": {
        "rightsinfo": {},
        "namespaces": {"6": {"id": 6, "name": "Datei", "canonical": "File"}},
        "namespacealiases": [{"id": 6, "alias": "Bild"}, {"id": 4, "alias": "WP"}],
    }
}


def test_the_files_of_a_long_gallery_are_looked_up_fifty_a_call(site: Site) -> None:
    lines = "".join(f"Bild:{number}.png\n" for number in range(60))
    page = {"title": "Luna/Gallery", "wikitext": f"<gallery>\n{lines}</gallery>"}
    page["text"] = '<li class="gallerybox"><a href="/wiki/Datei:Last.png">x</a></li>'
    found = step(site, GALLERY, {"parse": page}, GERMAN)
    first, second = found.tasks
    assert (first.kind, first.character, first.level) == ("files", "Luna", Level.IMAGES)
    assert '"File:0.png"' in str(first.cursor)
    assert '"lead": "L.png"' in str(first.cursor)
    assert '"File:Last.png"' in str(second.cursor)
    looked_up = step(site, second, RIGHTS, described(file("Last.png"), file("59.png")))
    fates = [one.fate for one in looked_up.pictures]
    assert fates == [FetchStatus.MISSING_FILE] * 9 + [FetchStatus.PENDING] * 2
    assert names(looked_up)[9:] == ["59.png", "Last.png"]


@pytest.mark.parametrize(
    ("case", "listed"),
    [
        ("first-letter", ["File:a.png", "File:ანა.png", "File:C.png"]),
        ("case-sensitive", ["File:a.png", "File:ანა.png", "File:A.png", "File:C.png"]),
    ],
)
def test_whether_first_letters_matter_is_as_the_wiki_says(
    site: Site, case: str, listed: list[str]
) -> None:
    page = {
        "title": "Luna/Gallery",
        "wikitext": "<gallery>\na.png\nანა.png\n</gallery>",
    }
    names = ("A.png", "C.png")
    boxes = [f'<li class="gallerybox"><a href="/w/File:{one}">x</a>' for one in names]
    page["text"] = "".join(boxes)
    facts = {"query": {"namespaces": {"6": {"name": "File", "case": case}}}}
    (task,) = step(site, GALLERY, {"parse": page}, facts).tasks
    assert json.loads(task.cursor or "")["listed"] == listed


@pytest.mark.parametrize("lead", ["ანა.png", "Ანა.png"])
def test_a_lead_of_an_earlier_version_is_known_again(site: Site, lead: str) -> None:
    cursor = json.dumps({"lead": lead})
    task = Task("images", "Moon: ანა", "Moon", "ანა", cursor)
    (picture,) = step(site, task, RIGHTS, described(file("ანა.png"))).pictures
    assert picture.is_lead


def test_the_same_gallery_leads_to_the_same_tasks(site: Site) -> None:
    page = {"title": "Luna/Gallery", "wikitext": "<gallery>\na.png\n</gallery>"}
    one = step(site, GALLERY, {"parse": page}, GERMAN).tasks
    assert step(site, GALLERY, {"parse": page}, GERMAN).tasks == one
    page["wikitext"] = "<gallery>\nb.png\n</gallery>"
    assert step(site, GALLERY, {"parse": page}, GERMAN).tasks != one


def test_a_character_without_a_gallery_has_no_pictures_there(site: Site) -> None:
    none = {"error": {"code": "missingtitle", "info": "no such page"}}
    found = step(site, GALLERY, none)
    assert (found.tasks, found.pictures, found.faults) == ((), (), ())
    assert found.done
