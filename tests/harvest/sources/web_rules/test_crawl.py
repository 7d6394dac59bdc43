"""A run of a web source against sites on loopback, with the real Scrapy process."""

import asyncio
import gzip
import time
from pathlib import Path

import pytest

from icf.catalogue.schema import album, character, mention, url
from icf.errors import WrongUse
from icf.harvest.run import harvest
from icf.workspace import Workspace, find
from tests.harvest.rows import all_of, fates
from tests.harvest.sources.web_rules.sites import (
    RULES,
    html,
    listings,
    many_albums,
    names,
    png,
    serving_tls,
    workspace,
)
from tests.harvest.wire import Handler, Site, answer, redirect, reset

pytestmark = pytest.mark.slow

FULL = """\
[source.albums]
start = ["START"]
item = "css: li"
link = "css: a"
name = "css: h2"
rank = "css: .rank"
region = "xpath: .//td[@class='land']"
next = "css: a.next"

[source.characters]
link = "css: .cast a"
item = "css: .cast"
name = "css: a::text"
gender = "css: .gender"

[source.images]
item = "css: figure"
url = "css: img::attr(srcset)"
lead = "css: .infobox img"
licence = "css: .licence"
licence_url = "css: .licence"
author = "css: .by"
next = "css: a.older"
"""


def test_a_site_becomes_albums_characters_and_pictures_with_their_licences(
    site: Site, tmp_path: Path
) -> None:
    site.route(
        "/list",
        html(
            '<li><h2>Moon\n Rabbit</h2><a href="moon/"><img src="t.png"></a>'
            "<span class=rank>No. 2</span><table><td class=land>Japan</table></li>"
            '<a class="next" href="?page=2">'
        ),
        html('<li><h2>Sun</h2><a href="sun/">go</a><b class=rank>1</b></li>'),
    )
    site.route(
        "/moon/",
        html(
            '<p class=cast><a href="../luna">Luna</a> <i class=gender>female</i>'
            '<p class=cast><a href="../sol">Sol</a>'
        ),
    )
    site.route("/sun/", html("nobody"))
    site.route(
        "/luna",
        html(
            '<div class=infobox><img src="luna.png"></div>'
            '<figure><img srcset="/s.png 320w, /l.png 640w" src=x>'
            '<a class=licence href="/by">CC BY 4.0</a><b class=by>Ada</b></figure>'
            '<a class=older href="/luna2">older</a>'
        ),
    )
    site.route("/luna2", html('<figure><img srcset="/luna.png"></figure>'))
    site.route("/sol", html("<figure>no picture</figure>"))
    for number, name in enumerate(("luna.png", "l.png")):
        site.route(f"/{name}", answer(png(number)))
    made = workspace(tmp_path / "ws", site.url("/list"), FULL)
    outcome = harvest(made)
    assert (outcome.listed.failed, outcome.listed.faults) == (0, [])
    albums = {row["name"]: row for row in all_of(made.catalogue, album)}
    assert (albums["Moon Rabbit"]["rank"], albums["Moon Rabbit"]["region"]) == (
        2,
        "japan",
    )
    assert (albums["Sun"]["rank"], albums["Sun"]["page_url"]) == (1, site.url("/sun/"))
    luna, sol = all_of(made.catalogue, character)
    assert (luna["gender"], luna["page_url"]) == ("female", site.url("/luna"))
    assert sol["name"] == "Sol"
    assert fates(made.catalogue) == {"luna.png": "stored", "l.png": "stored"}
    pictures = {
        row["url"].rpartition("/")[2]: row for row in all_of(made.catalogue, url)
    }
    large = pictures["l.png"]
    assert (large["licence"], large["licence_url"], large["author"]) == (
        "CC BY 4.0",
        site.url("/by"),
        "Ada",
    )
    assert (large["licence_from"], large["page_url"]) == ("page", site.url("/luna"))
    leads = {row["url_id"]: row["is_lead"] for row in all_of(made.catalogue, mention)}
    assert leads == {pictures["luna.png"]["id"]: True, large["id"]: False}


def test_a_second_run_asks_for_nothing(site: Site, tmp_path: Path) -> None:
    made = workspace(tmp_path / "ws", many_albums(site, 7))
    harvest(made)
    assert names(made) == {f"Album {n}": ["Who 0", "Who 1"] for n in range(7)}
    before = len(site.asked)
    again = harvest(find(made.root))
    assert len(site.asked) == before
    assert (again.listed.pages, again.listed.failed) == (0, 0)


def test_each_page_is_asked_for_once_however_often_it_is_linked(
    site: Site, tmp_path: Path
) -> None:
    circle = '<a class=next href="/b">next</a><a class=album href="/x">X</a>' * 2
    site.route("/a", html(circle))
    site.route("/b", html(circle.replace('"/b"', '"/a"')))
    site.route("/x", html('<a class=character href="/x">X</a>'))
    made = workspace(tmp_path / "ws", site.url("/a"))
    harvest(made)
    pages = [path for path in site.asked if path != "/robots.txt"]
    # "/x" is an album's page and a character's page.
    assert sorted(pages) == ["/a", "/b", "/x", "/x"]


def test_an_endless_list_ends_at_max_pages_and_says_so(
    site: Site, tmp_path: Path
) -> None:
    for n in range(20):
        site.route(f"/{n}", html(f'<a class=next href="/{n + 1}">tomorrow</a>'))
    made = workspace(tmp_path / "ws", site.url("/0"), "max_pages = 3\n" + RULES)
    outcome = harvest(made)
    assert site.asked == ["/robots.txt", "/0", "/1", "/2"]
    assert "max_pages = 3" in outcome.listed.faults[0]


def test_another_host_is_asked_only_where_it_is_named(
    site: Site, tmp_path: Path
) -> None:
    site.route("/", html('<a class=album href="http://other.example/">Other</a>'))
    made = workspace(tmp_path / "ws", site.url("/"))
    outcome = harvest(made)
    assert "1 links lead to other.example" in outcome.listed.faults[0]
    assert names(made) == {}


def test_a_redirect_to_another_host_is_not_followed(site: Site, tmp_path: Path) -> None:
    site.route("/", redirect("http://other.example/"))
    made = workspace(tmp_path / "ws", site.url("/"))
    harvest(made)
    status, why = listings(made)["/"]
    assert status == "failed"
    assert why.startswith("disallowed: other.example is another site")


def test_a_page_without_characters_files_its_pictures_under_the_album(
    site: Site, tmp_path: Path
) -> None:
    site.route("/", html('<h1>Moon</h1><img class=picture src="1.png">'))
    site.route("/1.png", answer(png(1)))
    rules = (
        'albums = { start = ["START"], name = "css: h1" }\n'
        'images = { url = "css: .picture", licence = "CC0", author = "Ada" }\n'
    )
    made = workspace(tmp_path / "ws", site.url("/"), rules)
    harvest(made)
    (row,) = all_of(made.catalogue, url)
    (moon,) = all_of(made.catalogue, album)
    assert row["album_id"] == moon["id"]
    assert (row["licence"], row["author"], row["licence_from"]) == (
        "CC0",
        "Ada",
        "settings",
    )


def test_a_picture_can_have_a_page_of_its_own(site: Site, tmp_path: Path) -> None:
    site.route("/", html('<a class=album href="/m">M</a>'))
    site.route("/m", html('<a class=file href="/file"><img src=thumb.png></a>'))
    site.route(
        "/file",
        html('<a id=full href="/f.png">full</a><a rel=license href=by>CC BY</a>'),
    )
    site.route("/f.png", answer(png(1)))
    rules = (
        'albums = { start = ["START"], link = "css: a.album" }\n'
        'images = { link = "css: a.file", url = "css: #full" }\n'
    )
    made = workspace(tmp_path / "ws", site.url("/"), rules)
    harvest(made)
    (row,) = all_of(made.catalogue, url)
    assert (row["url"], row["licence"], row["fate"]) == (
        site.url("/f.png"),
        "CC BY",
        "stored",
    )


# --- what the site asks for ---------------------------------------------------------


def test_robots_txt_is_obeyed_unless_the_site_is_ones_own(
    site: Site, tmp_path: Path
) -> None:
    start = many_albums(site, 2)
    # As Windows Notepad saves it, and longer than a page may be.
    rules = b"\xef\xbb\xbfUser-agent: icf\r\nDisallow: /a1\r\n"
    site.route("/robots.txt", answer(rules + b"#" * 6_000_000))
    made = workspace(tmp_path / "ws", start)
    harvest(made)
    assert listings(made)["/a1"] == (
        "failed",
        f"disallowed: {site.url('/a1')}: robots.txt forbids it",
    )
    assert "/a1" not in site.asked
    own = workspace(tmp_path / "own", start, respect_robots=False)
    harvest(own)
    assert listings(own)["/a1"][0] == "done"


def test_a_robots_txt_that_a_proxy_passed_on_is_obeyed(
    site: Site, tmp_path: Path
) -> None:
    start = many_albums(site, 2)
    rules = b"User-agent: *\nDisallow: /a1\n"
    site.route("/robots.txt", answer(rules, "203 Transformed"))
    made = workspace(tmp_path / "ws", start)
    harvest(made)
    assert listings(made)["/a1"][0] == "failed"
    assert "/a1" not in site.asked


def test_a_site_whose_robots_txt_breaks_is_left_alone(
    site: Site, tmp_path: Path
) -> None:
    start = many_albums(site, 1)
    site.route("/robots.txt", answer(b"", "500 Broken"))
    made = workspace(tmp_path / "ws", start)
    harvest(made)
    status, why = listings(made)["/list0"]
    assert status == "failed"
    assert "HTTP 500; the site is left alone until its rules are known" in why
    assert "/list0" not in site.asked


def test_a_crawl_delay_is_kept(site: Site, tmp_path: Path) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 0.3\n"))
    made = workspace(tmp_path / "ws", many_albums(site, 2, 1))
    began = time.monotonic()
    harvest(made)
    pages = [p for p in site.asked if p.startswith(("/a", "/list"))]
    assert len(pages) == 5
    # However long each took, the fifth was not sent before its turn.
    assert time.monotonic() - began >= 4 * 0.3


@pytest.mark.parametrize(
    "page",
    [
        html('<meta name=robots content="noimageai"><img class=picture src="/1.png">'),
        html('<img class=picture src="/1.png">', X_Robots_Tag="icf: noai"),
    ],
)
def test_pictures_of_a_page_that_opts_out_are_not_fetched(
    site: Site, tmp_path: Path, page: bytes
) -> None:
    site.route("/", html('<a class=album href="/m">M</a>'))
    site.route("/m", html('<a class=character href="/c">C</a>'))
    site.route("/c", page)
    made = workspace(tmp_path / "ws", site.url("/"))
    harvest(made)
    assert fates(made.catalogue) == {"1.png": "opted_out"}
    assert "/1.png" not in site.asked


def test_pictures_of_a_page_that_speaks_against_training_are_not_fetched(
    site: Site, tmp_path: Path
) -> None:
    site.route("/", html('<a class=album href="/m">M</a>'))
    pages = {
        "/1": html(
            '<meta name="TDM-Reservation" content=1><img class=picture src=/1.png>'
        ),
        "/2": html("<img class=picture src=/2.png>", TDM_Reservation="1"),
        "/3": html("<img class=picture src=/3.png>", Content_Usage="train-ai=n"),
        "/4": html("<img class=picture src=/4.png>"),
        "/5": html("<img class=picture src=/5.png>"),
    }
    rules = (
        b"User-agent: *\nContent-Usage: /4 train-ai=n\nContent-Usage: /4. train-ai=y"
    )
    site.route("/robots.txt", answer(rules))
    links = "".join(f'<a class=character href="{path}">C{path}</a>' for path in pages)
    site.route("/m", html(links))
    for number, (path, page) in enumerate(pages.items(), 1):
        site.route(path, page)
        site.route(f"{path}.png", answer(png(number)))
    harvest(made := workspace(tmp_path / "ws", site.url("/")))
    refused = [f"{number}.png" for number in range(1, 5)]
    assert fates(made.catalogue) == {
        **dict.fromkeys(refused, "opted_out"),
        "5.png": "stored",
    }
    assert not {f"/{name}" for name in refused} & set(site.asked)

    counting = workspace(tmp_path / "count", site.url("/"), no_training="count")
    harvest(counting)
    assert set(fates(counting.catalogue).values()) == {"stored"}


def test_links_of_a_page_that_says_nofollow_are_left_alone(
    site: Site, tmp_path: Path
) -> None:
    site.route(
        "/", html('<meta name=robots content=nofollow><a class=album href="/m">M</a>')
    )
    made = workspace(tmp_path / "ws", site.url("/"))
    outcome = harvest(made)
    assert outcome.listed.passed_over == 1
    assert site.asked == ["/robots.txt", "/"]


def test_our_name_and_contact_are_sent_and_no_cookie_is_kept(
    site: Site, tmp_path: Path
) -> None:
    page = html('<a class=album href="/m">M</a>', Set_Cookie="id=1")
    site.route("/", page)
    made = workspace(tmp_path / "ws", site.url("/"), contact="me@example.org")
    harvest(made)
    agents = {line for head in site.heads for line in head.split("\r\n")}
    assert all("(+me@example.org)" in line for line in agents if "User-Agent" in line)
    assert not any("Cookie" in head for head in site.heads)


# --- a network that is not kind -----------------------------------------------------


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        writer.write(b"<p>and on</p>" * 1000)
        await writer.drain()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n"
    )
    while True:
        writer.write(b"<")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n<p>"
    )
    await writer.drain()


def _bomb() -> bytes:
    return answer(
        gzip.compress(b"<p>" * 20_000_000),
        Content_Type="text/html",
        Content_Encoding="gzip",
    )


HOSTILE: dict[str, tuple[bytes | Handler, str]] = {
    "endless": (_endless, "too_large: "),
    "bomb": (_bomb(), "too_large: "),
    "drip": (_drip, "timeout: "),
    "short": (_short, "truncated: "),
    "reset": (reset, "truncated: "),
    "gone": (answer(b"", "404 Not Found"), "not_found: "),
    "broken": (answer(b"", "500 No"), "http_error: "),
    "refused": (answer(b"", "403 No"), "refused: "),
    "file": (redirect("file:///etc/passwd"), "bad_scheme: "),
    "data": (redirect("data:text/html,hello"), "bad_scheme: "),
    "metadata": (redirect("http://169.254.169.254/latest"), "forbidden_address: "),
    "mapped": (redirect("http://[::ffff:10.0.0.1]/"), "forbidden_address: "),
    "loop": (redirect("/loop"), "too_many_redirects: "),
    "picture": (answer(png(1), Content_Type="image/png"), "no HTML or XML"),
    "encoding": (html("x", Content_Encoding="compress"), "'compress' cannot be"),
    "cut": (
        answer(
            gzip.compress(b"<p>")[:-9],
            Content_Type="text/html",
            Content_Encoding="gzip",
        ),
        "truncated: ",
    ),
    "lengths": (
        html("x").replace(b"\r\n", b"\r\nContent-Length: 9\r\n", 1),
        "two lengths",
    ),
}


def test_every_hostile_page_ends_with_its_reason_and_the_rest_goes_on(
    site: Site, tmp_path: Path
) -> None:
    links = "".join(f'<a class=album href="/{name}">{name}</a>' for name in HOSTILE)
    site.route("/", html(links + '<a class=album href="/good">good</a>'))
    site.route("/good", html("fine"))
    for name, (reply, _) in HOSTILE.items():
        site.route(f"/{name}", reply)
    rules = (
        'max_page_bytes = 200000\nhosts = ["169.254.169.254", "[::FFFF:10.0.0.1]"]\n'
        + RULES
    )
    made = workspace(tmp_path / "ws", site.url("/"), rules, deadline=3)
    outcome = harvest(made)
    found = listings(made)
    for name, (_, reason) in HOSTILE.items():
        status, why = found[f"/{name}"]
        assert status == "failed", name
        assert reason in why, (name, why)
    assert found["/good"][0] == "done"
    assert outcome.listed.failed == len(HOSTILE)


def test_pages_are_read_as_servers_send_them(site: Site, tmp_path: Path) -> None:
    page = b"<!doctype html><a class=character href='/c'>Who</a>"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    length = b"Content-Length: %d\r\n" % len(page)
    members = gzip.compress(page[:20]) + gzip.compress(page[20:])
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)
    pages = {
        "both": head + length + b"Transfer-Encoding: chunked\r\n\r\n" + chunk,
        "members": answer(members, Content_Type="text/html", Content_Encoding="gzip"),
        "named": answer(page, Content_Type="text/html", Content_Encoding="utf-8"),
        "large": head + b"Link: %s\r\n" % (b"x" * 100_000) + length + b"\r\n" + page,
        "latin": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\xf1\r\n\r\n",
    }
    links = "".join(f'<a class=album href="/{name}">{name}</a>' for name in pages)
    site.route("/", html(links))
    site.route("/c", html(""))
    site.route("/%F1", head + length + b"\r\n" + page)
    for name, reply in pages.items():
        site.route(f"/{name}", reply)
    made = workspace(tmp_path / "ws", site.url("/"))
    assert harvest(made).listed.failed == 0
    assert names(made) == {name: ["Who"] for name in pages}


def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    with serving_tls(tmp_path) as site:
        site.route("/", html("secret"))
        start = f"https://{site.host}/"
        made = workspace(tmp_path / "ws", start, respect_robots=False, attempts=3)
        harvest(made)
        status, why = listings(made)["/"]
        assert status == "failed"
        assert why.startswith("unreachable: ")
        assert "certificate verify failed" in why
        assert site.asked == []


def test_a_name_of_this_machine_is_not_asked(site: Site, tmp_path: Path) -> None:
    site.route("/", html("inside"))
    start = f"http://localhost:{site.port}/"
    made = workspace(tmp_path / "ws", start, allow_hosts=[])
    harvest(made)
    status, why = listings(made)["/"]
    assert status == "failed"
    assert why.startswith("forbidden_address: ")
    assert site.asked == []


def test_a_robots_txt_cannot_lead_to_a_private_address(
    site: Site, tmp_path: Path
) -> None:
    site.route("/", html("inside"))
    site.route("/robots.txt", redirect("http://192.168.0.1/robots.txt"))
    made = workspace(tmp_path / "ws", site.url("/"))
    harvest(made)
    assert listings(made)["/"][1].startswith("forbidden_address: ")


def test_proxy_settings_of_the_environment_are_not_used(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    site.route("/", html('<a class=album href="/m">M</a>'))
    site.route("/m", html(""))
    made = workspace(tmp_path / "ws", site.url("/"))
    harvest(made)
    assert {status for status, _ in listings(made).values()} == {"done"}


@pytest.mark.parametrize("header", [{"Retry_After": "1"}, {}])
def test_a_host_that_asks_for_time_gets_it(
    site: Site, tmp_path: Path, header: dict[str, str]
) -> None:
    busy = answer(b"", "429 Slow Down", **header)
    site.route("/", busy, busy, html('<a class=album href="/m">M</a>'))
    site.route("/m", answer(b"", "503 Later", **header), html(""))
    made = workspace(tmp_path / "ws", site.url("/"), retry_after_cap=0.2)
    harvest(made)
    assert {status for status, _ in listings(made).values()} == {"done"}
    assert names(made) == {"M": []}


def test_what_passes_is_tried_until_it_has(site: Site, tmp_path: Path) -> None:
    good = html("<a class=album href=/m>M</a>")
    site.route("/", _short, answer(b"", "502 Bad"), good)
    site.route("/m", html(""))
    made = workspace(tmp_path / "ws", site.url("/"), attempts=3)
    harvest(made)
    assert listings(made)["/"] == ("done", "")


def test_broken_html_and_wrong_encodings_are_read_as_browsers_do(
    site: Site, tmp_path: Path
) -> None:
    site.route(
        "/",
        answer(
            "<a class=album href=/m>Žofie</a><div><table><a class=album href='/n'>"
            "\x00N</p>".encode("cp1250"),
            Content_Type="text/html; charset=windows-1250",
        ),
    )
    site.route(
        "/m", answer(b"\xff\xfe<\x00", Content_Type="text/html; charset=klingon")
    )
    no_text = answer(
        "<a class=character href='/c'>Věra</a><a class=character href='/d'>D".encode(),
        Content_Type="text/html; charset=rot13",
    )
    site.route("/n", no_text)
    for name, base in {"c": "javascript:alert(1)", "d": "http://[::1/"}.items():
        picture = f"<img class=picture src='i/{name}.png'>"
        site.route(f"/{name}", html(f"<base href='{base}'>{picture}"))
    made = workspace(tmp_path / "ws", site.url("/"))
    harvest(made)
    assert names(made) == {"Žofie": [], "N": ["D", "Věra"]}
    found = {row["url"] for row in all_of(made.catalogue, url)}
    assert found == {site.url("/i/c.png"), site.url("/i/d.png")}
    assert {status for status, _ in listings(made).values()} == {"done"}


# --- settings -----------------------------------------------------------------------


def broken(root: Path, rules: str) -> Workspace:
    return workspace(root, "http://127.0.0.1:9/", rules)


@pytest.mark.parametrize(
    ("wrong", "right", "named"),
    [
        ('link = "css: a["', 'link = "css: a.album"', "albums.link"),
        ('link = "a.album"', 'link = "css: a.album"', "begin it with 'css:'"),
        ('nxet = "css: a"', 'next = "css: a.next"', "nearest known one is 'next'"),
        ('url = "xpath: //img["', 'url = "css: img.picture"', "images.url"),
        ('start = ["ftp://a.org/"]', 'start = ["START"]', "albums.start.0"),
    ],
)
def test_a_wrong_rule_is_named_before_anything_is_asked(
    tmp_path: Path, wrong: str, right: str, named: str
) -> None:
    rules = RULES.replace(right, wrong)
    assert rules != RULES
    with pytest.raises(WrongUse, match="'toons'") as caught:
        harvest(broken(tmp_path, rules))
    assert named in str(caught.value)
