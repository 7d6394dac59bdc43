"""The demo's ``api.php``: what a real MediaWiki answered, and two faults of its own."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from icf.app.demo.site import DemoSite, Noise, Truth, load_truth
from icf.app.demo.site.recorded import (
    BASE,
    key_of,
    read_answers,
    shipped_answers,
    write_answers,
)
from icf.errors import BadInput

#: Rows of one answer.
ROWS = 6


@pytest.fixture(scope="module")
def truth() -> Truth:
    return load_truth()


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """The recorded answers by their canonical queries."""
    found = read_answers(shipped_answers())
    return {key: json.loads(text) for key, text in found.items()}


@pytest.fixture(scope="module")
def pages(answers: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that the answers say of a page, by its title."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for answer in answers.values():
        for page in answer["query"].get("pages", ()):
            found[page["title"]] |= page
    return found


@pytest.fixture
def site() -> Iterator[DemoSite]:
    with DemoSite() as served:
        yield served


def ask(
    site: DemoSite, query: str, *, post: bool = False
) -> tuple[http.client.HTTPResponse, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    try:
        if post:
            connection.request("POST", "/w/api.php", query)
        else:
            connection.request("GET", f"/w/api.php?{query}")
        response = connection.getresponse()
        return response, json.loads(response.read())
    finally:
        connection.close()


def test_each_recorded_answer_is_served_with_the_sites_own_address(
    site: DemoSite,
) -> None:
    for key, text in read_answers(shipped_answers()).items():
        response, answer = ask(site, key)
        assert response.status == 200
        assert answer == json.loads(text.replace(BASE, site.url))


def test_no_recorded_answer_is_an_error_or_names_another_address(
    answers: dict[str, Any],
) -> None:
    for key, answer in answers.items():
        assert set(answer) <= {"batchcomplete", "continue", "limits", "query"}, key
        assert "127.0.0.1" not in json.dumps(answer)


def test_they_are_small() -> None:
    assert shipped_answers().stat().st_size <= 120_000


def test_every_continue_leads_to_an_answer_that_was_recorded(
    answers: dict[str, Any],
) -> None:
    continued = 0
    for key, answer in answers.items():
        rest = answer.get("continue")
        members = answer["query"].get("categorymembers", ())
        assert len(members) <= ROWS
        if rest is not None:
            _, parameters = key_of(key)
            first = {k: v for k, v in parameters.items() if "continue" not in k}
            assert key_of(urlencode({**first, **rest}))[0] in answers
            continued += 1
    assert continued > 80


def test_every_file_is_listed_under_the_characters_that_it_is_filed_under(
    answers: dict[str, Any], truth: Truth
) -> None:
    filed: dict[str, set[str]] = defaultdict(set)
    for key, answer in answers.items():
        _, parameters = key_of(key)
        if parameters.get("generator") == "images":
            for page in answer["query"].get("pages", ()):
                name = page["title"].removeprefix("File:").replace(" ", "_")
                filed[name].add(parameters["titles"])
    assert filed == {file.name: set(file.filed_under) for file in truth.files}


def test_the_facts_of_a_file_are_those_of_its_bytes(
    site: DemoSite, pages: dict[str, dict[str, Any]], truth: Truth
) -> None:
    wiki = site.archive.wiki
    for file in truth.files:
        if file.noise in (Noise.MISSING, Noise.DEAD):
            continue
        row = wiki.file[file.name]
        [info] = pages[row.title]["imageinfo"]
        data = site.archive.read(row.path)
        assert info["sha1"] == hashlib.sha1(data).hexdigest() == row.sha1
        assert (info["size"], info["mime"]) == (len(data), row.mime)
        assert info["url"] == f"{BASE}/{quote(row.path)}"


def test_the_lead_picture_of_a_page_is_its_reference(
    pages: dict[str, dict[str, Any]], truth: Truth
) -> None:
    assert {one.name: pages[one.name]["pageimage"] for one in truth.characters} == {
        one.name: one.reference for one in truth.characters
    }


def test_albums_hold_their_characters_and_categories_run_in_a_circle(
    answers: dict[str, Any], truth: Truth
) -> None:
    members: dict[str, list[str]] = defaultdict(list)
    for key, answer in answers.items():
        title = key_of(key)[1].get("cmtitle")
        for one in answer["query"].get("categorymembers", ()):
            members[str(title)].append(one["title"])
    above, below = "Category:Animated series", "Category:In production"
    assert set(members[above]) == {*truth.albums, below}
    for album in truth.albums:
        cast = {one.name for one in truth.characters if one.album == album}
        assert set(members[f"Category:{album} characters"]) == cast


def test_missing_files_come_without_image_info(
    pages: dict[str, dict[str, Any]], truth: Truth
) -> None:
    kinds = {f.detail: f for f in truth.files if f.noise is Noise.MISSING}
    assert set(kinds) == {"missing_file", "no_imageinfo"}
    for detail, file in kinds.items():
        page = pages["File:" + file.name.replace("_", " ")]
        assert "imageinfo" not in page
        assert page.get("missing", False) is (detail == "missing_file")


def test_a_licence_is_stated_by_the_file_or_by_the_site(
    answers: dict[str, Any], pages: dict[str, dict[str, Any]]
) -> None:
    stated = {
        page["imageinfo"][0]["extmetadata"].get("LicenseShortName", {}).get("value")
        for page in pages.values()
        if "imageinfo" in page
    }
    assert stated == {None, "CC0", "Public domain", "Unknown"}
    queries = [answer["query"] for answer in answers.values()]
    rights = [query["rightsinfo"] for query in queries if "rightsinfo" in query]
    assert [each["text"] for each in rights] == ["Creative Commons Zero"]


def test_a_request_may_be_a_post_and_its_parameters_in_any_order(
    site: DemoSite, answers: dict[str, Any]
) -> None:
    key = next(iter(answers))
    turned = "&".join(reversed(key.split("&")))
    expected = ask(site, key)[1]
    assert ask(site, turned, post=True)[1] == expected == ask(site, turned)[1]


def test_a_request_that_was_not_recorded_is_an_error_that_names_it(
    site: DemoSite,
) -> None:
    response, answer = ask(site, "titles=Nobody&action=query")
    assert response.status == 200
    assert response.headers["MediaWiki-API-Error"] == "notrecorded"
    assert answer["error"]["code"] == "notrecorded"
    assert answer["error"]["info"].endswith("action=query&titles=Nobody")


def test_the_first_request_that_names_maxlag_has_to_wait(
    site: DemoSite, answers: dict[str, Any]
) -> None:
    query = f"{next(iter(answers))}&maxlag=5"
    (response, lagged), (_, later) = ask(site, query), ask(site, query)
    assert response.status == 200
    assert lagged["error"]["code"] == "maxlag"
    assert response.headers["Retry-After"] == "1"
    assert response.headers["MediaWiki-API-Error"] == "maxlag"
    assert "query" in later


def test_the_same_answers_make_the_same_file(tmp_path: Path) -> None:
    answers = read_answers(shipped_answers())
    one, other = tmp_path / "one.gz", tmp_path / "other.gz"
    write_answers(one, answers)
    write_answers(other, dict(reversed(answers.items())))
    assert one.read_bytes() == other.read_bytes()
    assert read_answers(one) == answers


def test_answers_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "answers.json.gz"
    damaged.write_bytes(shipped_answers().read_bytes()[:-100])
    for path in (damaged, tmp_path / "missing.gz"):
        with pytest.raises(BadInput, match="reinstall"):
            read_answers(path)
