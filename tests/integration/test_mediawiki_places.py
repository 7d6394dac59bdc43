"""Each place where a wiki can keep its albums, casts and pictures; a real MediaWiki."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from icf.codes import FetchStatus, Gender, Region
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources.base import Album, ListingPage, Picture, Task
from icf.harvest.sources.mediawiki.source import MediaWikiSource
from icf.settings import HarvestSettings
from tests.integration.mediawiki import MediaWiki, throttled
from tests.integration.wiki_places import ICON, ORNAMENT, PICTURES

ONE_ALBUM = {"titles": ["Star Foxes"]}
IN_CATEGORY = {"category": "Star Foxes", "depth": 0}


def listed(wiki: MediaWiki, api: str = "", **keys: Any) -> list[ListingPage]:
    """Answer every task of a source, as discovery does; return the answers."""
    table = {"name": "toon", "kind": "mediawiki", "api": api or wiki.api, **keys}
    settings = HarvestSettings(retry_after_cap=1.0, attempts=30, backoff=0.1)
    source = MediaWikiSource(table, Path(), settings)
    hosts = [wiki.host, (api or wiki.api).split("/")[2]]

    async def ask() -> list[ListingPage]:
        answers: list[ListingPage] = []
        async with Web("icf/test", AllowList(hosts)) as web:
            waiting = list(source.first_tasks())
            known = {(task.kind, task.subject) for task in waiting}
            while waiting:
                task = waiting.pop(0)
                answer = await source.step(task, web)
                answers.append(answer)
                if not answer.done:
                    again = (task.kind, task.subject, task.album, task.character)
                    waiting.append(Task(*again, answer.cursor, task.level))
                for one in answer.tasks:
                    if (one.kind, one.subject) not in known:
                        known.add((one.kind, one.subject))
                        waiting.append(one)
        return answers

    return asyncio.run(ask())


def albums_in(answers: list[ListingPage]) -> list[Album]:
    return [album for answer in answers for album in answer.albums]


def cast_in(answers: list[ListingPage]) -> dict[str, Gender | None]:
    return {one.name: one.gender for answer in answers for one in answer.characters}


def files_in(answers: list[ListingPage]) -> dict[str, Picture]:
    """The pictures, by the names of their files or pages."""
    return {
        unquote(one.url.rpartition("/")[2]).replace("_", " "): one
        for answer in answers
        for one in answer.pictures
    }


def missing_in(answers: list[ListingPage]) -> set[str]:
    found = files_in(answers).items()
    return {
        name.partition("title=")[2].partition("&")[0] or name
        for name, one in found
        if one.fate is not FetchStatus.PENDING
    }


# --- albums ---------------------------------------------------------------------------


def test_albums_are_read_from_a_tables_column_with_their_ranks_and_regions(
    wiki: MediaWiki,
) -> None:
    albums = {
        "page": "List of series",
        "column": "title",
        "rank_column": "Place",
        "region_column": "Made in",
    }
    answers = listed(wiki, albums=albums, characters={"section": "Main characters"})
    found = [(one.name, one.rank, one.region) for one in albums_in(answers)]
    assert found == [
        ("Star Foxes", 1, Region.JAPAN),
        ("Star Chasers (film)", 3, Region.AMERICA),
    ]
    assert "Unwritten" in missing_in(answers)


def test_albums_are_a_pages_links_below_a_heading_that_names_the_region(
    wiki: MediaWiki,
) -> None:
    albums = {
        "page": "List of series",
        "section": "Europe",
        "region_heading": True,
        "first_links": True,
        "ranked": True,
    }
    answers = listed(wiki, albums=albums, characters={"section": "Cast"})
    (album,) = albums_in(answers)
    assert (album.name, album.rank, album.region) == ("Comet Café", 1, Region.EUROPE)
    faults = [fault for answer in answers for fault in answer.faults]
    assert faults == ["'Comet Café' has no section 'Cast'"]


def test_a_list_pages_notes_and_boxes_are_no_albums(wiki: MediaWiki) -> None:
    albums = {"page": "List of series"}
    answers = listed(wiki, albums=albums, characters={"section": "Main characters"})
    names = {one.name for one in albums_in(answers)}
    assert {"Star Foxes", "Star Chasers (film)", "Comet Café", "Somebody"} <= names
    assert "Never an album" not in names | missing_in(answers)


def test_a_region_is_read_from_the_albums_infobox(wiki: MediaWiki) -> None:
    albums = {**ONE_ALBUM, "region_parameter": "country"}
    answers = listed(wiki, albums=albums, characters={"parameter": "characters"})
    assert [one.region for one in albums_in(answers)] == [Region.JAPAN]


# --- characters -----------------------------------------------------------------------


def test_characters_are_a_sections_links_with_their_genders(wiki: MediaWiki) -> None:
    characters = {"section": "Main characters", "first_links": True}
    answers = listed(wiki, albums=ONE_ALBUM, characters=characters)
    assert cast_in(answers) == {"Nova": Gender.FEMALE, "Vega": Gender.MALE}
    # One has no page; another is only a part of the album's.
    messages = {p.message for answer in answers for p in answer.pictures if p.message}
    assert any("'Ghost': it is missing" in text for text in messages)
    assert any("'Umbra': it is the part 'Villains'" in text for text in messages)


def test_characters_are_what_the_albums_infobox_names(wiki: MediaWiki) -> None:
    characters = {"parameter": ["cast", "characters"]}
    answers = listed(wiki, albums=ONE_ALBUM, characters=characters)
    assert set(cast_in(answers)) == {"Nova", "Vega"}


def test_characters_are_the_links_of_a_page_of_their_own(wiki: MediaWiki) -> None:
    characters = {"page": ["{album} characters", "List of {album} heroes"]}
    answers = listed(wiki, albums=ONE_ALBUM, characters=characters)
    assert set(cast_in(answers)) == {"Nova", "Vega"}


# --- pictures -------------------------------------------------------------------------


def test_decoration_of_a_page_is_left_out_and_counted(wiki: MediaWiki) -> None:
    images = {"max_uses": 3, "leave_out": "* SIDE.*"}
    answers = listed(wiki, albums=ONE_ALBUM, characters=IN_CATEGORY, images=images)
    found = files_in(answers)
    assert found["Nova main.png"].is_lead
    assert not {ICON, ORNAMENT, "Nova side.png"} & set(found)
    assert sum(answer.passed_over for answer in answers) == 3


def test_what_is_shown_seldom_enough_stays(wiki: MediaWiki) -> None:
    answers = listed(wiki, albums=ONE_ALBUM, characters=IN_CATEGORY)
    assert {"Nova main.png", "Nova side.png", ORNAMENT} <= set(files_in(answers))


def test_pictures_are_read_from_galleries_of_text_and_of_templates(
    wiki: MediaWiki,
) -> None:
    images = {"page": "galleries", "gallery_page": "Gallery of {character}"}
    answers = listed(wiki, albums=ONE_ALBUM, characters=IN_CATEGORY, images=images)
    found = files_in(answers)
    pending = {name for name, one in found.items() if one.fate is FetchStatus.PENDING}
    assert pending == {"Nova side.png", "Nova back.png"}
    fates = [one.fate for one in found.values() if one.fate is not FetchStatus.PENDING]
    assert fates == [FetchStatus.MISSING_FILE]


def test_pictures_are_read_from_a_category_of_files(wiki: MediaWiki) -> None:
    images = {"page": "none", "category": "Images of {character}"}
    answers = listed(wiki, albums=ONE_ALBUM, characters=IN_CATEGORY, images=images)
    found = files_in(answers)
    assert set(found) == {"Nova back.png", "Nova sketch.png"}
    assert all(one.sha1 and one.character == "Nova" for one in found.values())


# --- a site that asks for patience ----------------------------------------------------


def test_429_is_waited_out_and_nothing_is_lost(wiki: MediaWiki) -> None:
    where: dict[str, Any] = {"albums": ONE_ALBUM, "characters": IN_CATEGORY}
    with throttled(wiki) as (api, refused):
        slow = listed(wiki, api, **where)
        assert " 429 " in refused.read_text()
    assert files_in(slow) == files_in(listed(wiki, **where))
    assert set(PICTURES[:2]) <= set(files_in(slow))


def test_replication_lag_is_waited_out_and_nothing_is_lost(wiki: MediaWiki) -> None:
    where: dict[str, Any] = {"albums": ONE_ALBUM, "characters": IN_CATEGORY}
    before = len(wiki.requests)
    with ExitStack() as lag:
        lag.enter_context(wiki.lagging(9))

        def catch_up() -> None:
            while len(wiki.requests) < before + 3:  # refused, then asked again
                time.sleep(0.05)
            lag.close()

        replica = threading.Thread(target=catch_up)
        replica.start()
        late = listed(wiki, **where)
        replica.join()
    assert files_in(late) == files_in(listed(wiki, **where))
    assert set(PICTURES[:2]) <= set(files_in(late))
