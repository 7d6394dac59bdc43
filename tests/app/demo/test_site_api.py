from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from icf.app.demo.site import DemoSite, Noise, Truth, load_truth
from icf.app.demo.site.titles import normal


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Talks to a site over real sockets."""

    def __init__(self, site: DemoSite) -> None:
        self.site = site

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        body: str | None = None,
    ) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def api(self, **params: str | int) -> Any:
        return self.ask("/w/api.php?" + urlencode({"format": "json", **params})).json

    def query(self, **params: str | int) -> Any:
        return self.api(action="query", formatversion=2, **params)

    def pieces(self, **params: str | int) -> Iterator[Any]:
        """Follow ``continue`` to its end."""
        more: dict[str, str] = {}
        while True:
            answer = self.query(**{**params, **more})
            yield answer
            if "continue" not in answer:
                return
            more = answer["continue"]


@pytest.fixture(scope="module")
def truth() -> Truth:
    return load_truth()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with DemoSite() as site:
        yield Client(site)


@pytest.fixture
def fresh() -> Iterator[Client]:
    with DemoSite() as site:
        yield Client(site)


def members(client: Client, category: str, **more: str) -> list[str]:
    title = f"Category:{category}"
    answers = client.pieces(list="categorymembers", cmtitle=title, **more)
    return [one["title"] for a in answers for one in a["query"]["categorymembers"]]


def images(client: Client, title: str) -> list[dict[str, Any]]:
    wanted = "url|sha1|size|mime|extmetadata|user"
    answers = client.pieces(
        titles=title,
        generator="images",
        gimlimit="max",
        prop="imageinfo",
        iiprop=wanted,
    )
    return [page for answer in answers for page in answer["query"].get("pages", ())]


def test_following_continue_gives_every_file_exactly_once(
    client: Client, truth: Truth
) -> None:
    filed: dict[str, set[str]] = {}
    for album in members(client, "Animated series", cmtype="page"):
        for who in members(client, f"{album} characters"):
            names = [page["title"] for page in images(client, who)]
            assert len(names) == len(set(names))
            for name in names:
                bare = name.removeprefix("File:").replace(" ", "_")
                filed.setdefault(bare, set()).add(who)
    assert filed == {file.name: set(file.filed_under) for file in truth.files}


@pytest.mark.parametrize(("asked", "rows"), [("2", 2), ("max", 6), ("400", 6)])
def test_an_answer_has_no_more_rows_than_were_asked_for(
    client: Client, asked: str, rows: int
) -> None:
    category = "Category:Paper Street characters"
    answer = client.query(list="categorymembers", cmtitle=category, cmlimit=asked)
    assert len(answer["query"]["categorymembers"]) == rows


@pytest.mark.parametrize("prop", ["images", "links"])
def test_pages_asked_together_are_told_in_pieces_and_whole(
    client: Client, truth: Truth, prop: str
) -> None:
    titles = truth.albums if prop == "links" else [truth.characters[0].name]
    pages: dict[str, list[str]] = {}
    facts = []
    answers = list(client.pieces(titles="|".join(titles), prop=f"info|{prop}"))
    for answer in answers:
        for page in answer["query"]["pages"]:
            rows = [row["title"] for row in page.get(prop, ())]
            pages.setdefault(page["title"], []).extend(rows)
            facts.append("contentmodel" in page)
    assert len(answers) > 1
    assert [("batchcomplete" in answer) for answer in answers[:-1]] == [False] * (
        len(answers) - 1
    )
    assert answers[-1]["batchcomplete"] is True
    assert sum(facts) == len(titles)
    site = client.site.archive.wiki
    for title in titles:
        on_page = site.page[title].links
        if prop == "images":
            on_page = tuple(
                "File:" + name.replace("_", " ") for name in site.page[title].images
            )
        assert pages[title] == sorted(on_page)


def test_the_sha1_and_size_of_the_api_are_those_of_the_bytes(
    client: Client, truth: Truth
) -> None:
    for page in images(client, truth.characters[3].name):
        for info in page.get("imageinfo", ()):
            answer = client.ask(urlsplit(info["url"]).path)
            if answer.status == 200:
                assert hashlib.sha1(answer.body).hexdigest() == info["sha1"]
                assert len(answer.body) == info["size"]
                assert answer.headers["Content-Type"] == info["mime"]


def test_the_lead_picture_of_a_page_is_its_reference(
    client: Client, truth: Truth
) -> None:
    for one in truth.characters[::7]:
        page = client.query(titles=one.name, prop="pageimages", piprop="name|original")
        told = page["query"]["pages"][0]
        assert told["pageimage"] == one.reference
        assert told["original"]["source"].endswith(quote(one.reference))
        parsed = client.api(action="parse", page=one.name, prop="images")
        assert parsed["parse"]["images"][0] == one.reference


def test_both_format_versions_tell_the_same(client: Client, truth: Truth) -> None:
    params: dict[str, str | int] = {
        "action": "query",
        "titles": f"{truth.characters[0].name.replace(' ', '_')}|Nobody",
        "prop": "info",
    }
    old, new = client.api(**params), client.api(**params, formatversion=2)
    assert old["batchcomplete"] == ""
    assert new["batchcomplete"] is True
    assert old["query"]["pages"]["-1"]["missing"] == ""
    missing, there = new["query"]["pages"]
    assert missing["missing"] is True
    assert old["query"]["pages"][str(there["pageid"])] == there
    (spelt,) = new["query"]["normalized"]
    assert spelt.pop("fromencoded") is False
    assert old["query"]["normalized"] == [spelt]


def test_an_old_style_parse_wraps_its_text(client: Client, truth: Truth) -> None:
    album = truth.albums[0]
    old = client.api(action="parse", page=album, prop="text|sections|links")["parse"]
    assert 'id="Characters"' in old["text"]["*"]
    assert old["sections"][0]["line"] == "Characters"
    assert len(old["links"]) == sum(one.album == album for one in truth.characters)
    assert {"ns", "exists", "*"} == set(old["links"][0])


def test_the_text_of_a_page_names_its_lead_picture_first(
    client: Client, truth: Truth
) -> None:
    one = truth.characters[5]
    params: dict[str, str | int] = {
        "action": "query",
        "titles": one.name,
        "prop": "revisions",
        "rvprop": "content",
        "rvslots": "main",
        "rvsection": 0,
    }
    new = client.api(**params, formatversion=2)["query"]["pages"][0]
    (old,) = client.api(**params)["query"]["pages"].values()
    text = new["revisions"][0]["slots"]["main"]["content"]
    assert f"[[File:{one.reference.replace('_', ' ')}|thumb" in text
    assert "<gallery>" not in text
    assert old["revisions"][0]["slots"]["main"]["*"] == text


def test_a_redirect_is_followed_when_asked(client: Client) -> None:
    wiki = client.site.archive.wiki
    old, new = next(iter(wiki.redirect.items()))
    answer = client.query(titles=old, redirects=1)["query"]
    assert answer["redirects"] == [{"from": old, "to": new}]
    assert answer["pages"][0]["title"] == new
    parsed = client.api(action="parse", page=old, redirects=1, prop="images")
    assert parsed["parse"]["title"] == new
    alone = client.query(titles=old, prop="info")["query"]["pages"][0]
    assert alone["redirect"] is True


def test_categories_run_in_a_circle(client: Client) -> None:
    below = members(client, "Animated series", cmtype="subcat")
    assert below == ["Category:In production"]
    assert members(client, "In production") == ["Category:Animated series"]


def test_missing_files_come_without_image_info(client: Client, truth: Truth) -> None:
    kinds = {f.detail: f for f in truth.files if f.noise is Noise.MISSING}
    assert set(kinds) == {"missing_file", "no_imageinfo"}
    for detail, file in kinds.items():
        title = "File:" + file.name
        page = client.query(titles=title, prop="imageinfo", iiprop="url")
        told = page["query"]["pages"][0]
        assert "imageinfo" not in told
        assert ("missing" in told) == (detail == "missing_file")


def test_a_licence_stands_at_the_file_or_at_the_site(client: Client) -> None:
    named = {
        (one.licence.name if one.licence else None)
        for one in client.site.archive.wiki.files
    }
    assert named == {None, "CC0", "Public domain", "Unknown"}
    file = next(f for f in client.site.archive.wiki.files if f.licence is None)
    page = client.query(titles=file.title, prop="imageinfo", iiprop="extmetadata")
    told = page["query"]["pages"][0]["imageinfo"][0]["extmetadata"]
    assert "LicenseShortName" not in told
    rights = client.query(meta="siteinfo", siprop="general|rightsinfo")["query"]
    assert rights["rightsinfo"]["text"] == "Creative Commons Zero"
    assert rights["general"]["server"] == client.site.url


def test_the_api_answers_post_as_it_answers_get(client: Client) -> None:
    body = urlencode({"action": "query", "meta": "siteinfo", "format": "json"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = client.ask("/w/api.php", kind, "POST", body)
    assert posted.json == client.api(action="query", meta="siteinfo")


def test_the_first_call_that_names_maxlag_is_told_to_wait(fresh: Client) -> None:
    path = "/w/api.php?action=query&meta=siteinfo&format=json&maxlag=5"
    lagged, later = fresh.ask(path), fresh.ask(path)
    assert lagged.status == 200
    assert lagged.json["error"]["code"] == "maxlag"
    assert lagged.headers["Retry-After"] == "1"
    assert lagged.headers["MediaWiki-API-Error"] == "maxlag"
    assert "query" in later.json


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"action": "dance"}, "badvalue"),
        ({"action": "query", "formatversion": "3"}, "badvalue"),
        ({"action": "query", "list": "categorymembers"}, "missingparam"),
        (
            {"action": "query", "list": "categorymembers", "cmtitle": "Cats"},
            "invalidcategory",
        ),
        (
            {
                "action": "query",
                "list": "categorymembers",
                "cmtitle": "Category:Characters",
                "cmlimit": "many",
            },
            "badinteger",
        ),
        (
            {
                "action": "query",
                "titles": "Arun Vale",
                "prop": "images",
                "imcontinue": "nonsense",
            },
            "badcontinue",
        ),
        ({"action": "query", "titles": "|".join(map(str, range(51)))}, "toomanyvalues"),
        ({"action": "parse", "page": "Nobody"}, "missingtitle"),
        (
            {"action": "parse", "page": "Arun Vale", "section": "9"},
            "nosuchsection",
        ),
    ],
)
def test_a_bad_parameter_gets_an_error_object(
    client: Client, params: dict[str, str], code: str
) -> None:
    path = "/w/api.php?" + urlencode({**params, "format": "json"})
    answer = client.ask(path)
    assert answer.status == 200
    assert answer.json["error"]["code"] == code
    assert answer.headers["MediaWiki-API-Error"] == code


def test_what_the_api_does_not_know_is_warned_of(client: Client) -> None:
    answer = client.query(titles="Arun Vale", prop="info|smell", colour="red")
    told = {name: one["warnings"] for name, one in answer["warnings"].items()}
    assert told == {
        "query": 'Unrecognized value for parameter "prop": smell',
        "main": "Unrecognized parameter: colour.",
    }


def test_without_format_json_the_api_answers_a_page(client: Client) -> None:
    answer = client.ask("/w/api.php?action=query&meta=siteinfo")
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("file:arun_Vale_01.jpg", "File:Arun Vale 01.jpg"),
        ("Image:x.png", "File:X.png"),
        ("category: animated_series", "Category:Animated series"),
        ("émile  Doux", "Émile Doux"),
    ],
)
def test_titles_are_spelt_as_a_wiki_spells_them(given: str, title: str) -> None:
    assert normal(given) == title
