"""gallery-dl itself lists sites on loopback: a booru with pages, and direct links."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from icf.catalogue.schema import album, character, discovery, image_source, url
from icf.errors import SomeFailed, WrongUse
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources.base import ListingPage, Task
from icf.harvest.sources.gallery_dl.source import GallerySource
from icf.settings import HarvestSettings
from icf.workspace import Workspace, find, init
from tests.app.forked import Forked
from tests.harvest.cli.test_main import call, said
from tests.harvest.rows import all_of, fates
from tests.harvest.wire import Site, answer

pytestmark = pytest.mark.slow

#: What a page of the booru holds; a shorter one is the last.
PAGE = 100


def post(site: Site, number: int, **fields: object) -> dict[str, object]:
    path = site.route(f"/files/{number}.gif", answer(b"GIF89a%d" % number + bytes(20)))
    return {"id": number, "created_at": 1, "file_url": path, **fields}


def serve_pages(site: Site, *pages: object) -> str:
    """Serve the pages of a booru; return the URL of its listing."""
    for number, page in enumerate(pages, 1):
        reply = page if isinstance(page, bytes) else answer(json.dumps(page).encode())
        site.route(f"/post.json?tags=tom&page={number}&limit={PAGE}", reply)
    return site.url("/post?tags=tom")


def test_other_sizes_of_a_file_are_its_fallbacks(site: Site) -> None:
    sizes = {"sample_url": site.url("/s.jpg"), "jpeg_url": site.url("/j.jpg")}
    listing = serve_pages(site, [post(site, 1, **sizes)])
    chosen = options(site)
    chosen["moebooru"]["url"] = ["file_url", "sample_url", "jpeg_url"]
    one = source(site, listing, options=chosen)
    try:
        (page, *_) = list_all(one, Task("gallery", listing))
    finally:
        one.reader.close()
    (picture,) = page.pictures
    assert picture.url == site.url("/files/1.gif")
    assert picture.fallbacks == (site.url("/s.jpg"), site.url("/j.jpg"))


def options(site: Site, **more: object) -> dict[str, Any]:
    own = {"root": f"http://{site.host}", "pattern": site.host.replace(".", r"\.")}
    return {"moebooru": {"here": own}, "retries": 0, **more}


def source(site: Site, *urls: str, **keys: object) -> GallerySource:
    table = {"name": "g", "kind": "gallery-dl", "urls": list(urls), **keys}
    settings = HarvestSettings(allow_hosts=(site.host,), contact="me@example.org")
    return GallerySource({"options": options(site), **table}, Path(), settings)


def list_all(one: GallerySource, task: Task) -> list[ListingPage]:
    """Answer a task to its end; each answer is stored."""

    async def run() -> list[ListingPage]:
        answers: list[ListingPage] = []
        async with Web("icf/test", AllowList([])) as web:
            cursor = task.cursor
            while not answers or not answers[-1].done:
                asked = Task(task.kind, task.subject, cursor=cursor)
                answers.append(await one.step(asked, web))
                cursor = answers[-1].cursor
        return answers

    try:
        return asyncio.run(run())
    finally:
        one.reader.close()


def only(one: GallerySource) -> Task:
    (task,) = one.first_tasks()
    return task


def test_a_listing_gives_files_with_page_author_and_licence(site: Site) -> None:
    listed = serve_pages(
        site,
        [
            post(site, 1, author="Jane", license="CC BY 4.0", post_url="http://p/1"),
            post(site, 2, artist=["Ann", "Bob"]),
        ],
    )
    one = source(site, listed, album="Cats", character="Tom")
    answers = list_all(one, only(one))
    first, second = [each for part in answers for each in part.pictures]
    assert first.url == site.url("/files/1.gif")
    assert (first.album, first.character) == ("Cats", "Tom")
    assert (first.page_url, first.licence.author) == ("http://p/1", "Jane")
    assert (first.licence.name, first.licence.read_from) == ("CC BY 4.0", "site")
    assert (second.page_url, second.licence.author) == (listed, "Ann, Bob")
    assert (second.licence.name, second.licence.read_from) == ("unknown", "unknown")
    assert {each.name for part in answers for each in part.albums} == {"Cats"}


def test_a_listing_comes_through_a_proxy(site: Site) -> None:
    page = answer(json.dumps([post(site, 1)]).encode())
    site.route(f"http://art.example/post.json?tags=tom&page=1&limit={PAGE}", page)
    own = {"root": "http://art.example", "pattern": r"art\.example"}
    table = {
        "name": "g",
        "kind": "gallery-dl",
        "urls": ["http://art.example/post?tags=tom"],
        "options": {"moebooru": {"here": own}, "retries": 0},
    }
    proxy = f"http://{site.host}"
    settings = HarvestSettings(proxy=proxy, contact="me@example.org")
    one = GallerySource(table, Path(), settings)
    answers = list_all(one, only(one))
    assert [each.url for part in answers for each in part.pictures] == [
        site.url("/files/1.gif")
    ]


def test_a_direct_link_is_a_listing_of_one_file(site: Site) -> None:
    link = site.route("/a/Tom.png", answer())
    one = source(site, link)
    answers = list_all(one, only(one))
    assert [each.url for part in answers for each in part.pictures] == [link]
    assert site.asked == []


def test_each_url_can_have_an_album_and_a_character_of_its_own(site: Site) -> None:
    links = [site.url(f"/{name}.png") for name in ("a", "b")]
    table = {links[0]: {"album": "Cats", "character": "Tom"}, links[1]: {}}
    keys = {"name": "g", "kind": "gallery-dl", "urls": table, "album": "All"}
    one = GallerySource(keys, Path(), HarvestSettings())
    found = [list_all(one, task)[0].pictures[0] for task in one.first_tasks()]
    assert [(each.album, each.character) for each in found] == [
        ("Cats", "Tom"),
        ("All", None),
    ]


def test_it_asks_with_our_name_unless_the_options_say_otherwise(site: Site) -> None:
    listed = serve_pages(site, [])
    one = source(site, listed)
    list_all(one, only(one))
    assert "+me@example.org" in site.heads[-1]
    one = source(site, listed, options=options(site, **{"user-agent": "Other/1"}))
    list_all(one, only(one))
    assert "User-Agent: Other/1" in site.heads[-1]


def test_what_gallery_dl_warns_of_is_reported(site: Site) -> None:
    listed = serve_pages(site, [post(site, 1), {"id": 2, "created_at": 1}])
    one = source(site, listed)
    answers = list_all(one, only(one))
    (fault,) = [each for part in answers for each in part.faults]
    assert "post 2" in fault


def test_a_url_of_no_known_site_is_a_clear_fault(site: Site) -> None:
    one = source(site, "http://unknown.example/x")
    with pytest.raises(Fault, match="knows no such site"):
        list_all(one, only(one))


def test_gallery_dl_cannot_ask_a_private_host_that_is_not_ours(site: Site) -> None:
    listed = serve_pages(site, [post(site, 1)])
    table = {"name": "g", "kind": "gallery-dl", "urls": [listed]}
    one = GallerySource({**table, "options": options(site)}, Path(), HarvestSettings())
    with pytest.raises(Fault, match="not a public address"):
        list_all(one, only(one))
    assert site.asked == []


def test_a_redirect_to_a_private_host_is_not_followed(site: Site) -> None:
    inner = f"http://localhost:{site.port}/secret"
    listed = serve_pages(site, answer(b"", "302 Found", Location=inner))
    one = source(site, listed)
    with pytest.raises(Fault, match="localhost is at"):
        list_all(one, only(one))
    assert "/secret" not in site.asked


def test_one_process_lists_many_urls_and_an_error_of_one_is_not_the_next_ones(
    site: Site,
) -> None:
    listed = serve_pages(site, answer(b"", "500 Internal Server Error"))
    links = [site.url(f"/{number}.png") for number in range(3)]
    one = source(site, links[0], listed, links[1], "nonsense", links[2])

    async def run() -> list[str]:
        results = []
        async with Web("icf/test", AllowList([])) as web:
            for task in one.first_tasks():
                answers: list[ListingPage] = []
                try:
                    while not answers or not answers[-1].done:
                        cursor = answers[-1].cursor if answers else None
                        asked = Task(task.kind, task.subject, cursor=cursor)
                        answers.append(await one.step(asked, web))
                except Fault as fault:
                    results.append(str(fault))
                results += [each.url for part in answers for each in part.pictures]
        return results

    try:
        first, error, second, unknown, third = asyncio.run(run())
    finally:
        one.reader.close()
    assert [first, second, third] == links
    assert "500" in error
    assert "no such site" in unknown


def test_a_silent_listing_is_given_up(site: Site) -> None:
    async def hang(reader: asyncio.StreamReader, writer: object) -> None:
        await reader.read()

    site.route(f"/post.json?tags=tom&page=1&limit={PAGE}", hang)
    one = source(site, site.url("/post?tags=tom"), patience=3.0)
    with pytest.raises(Fault, match="sent nothing for 3 s"):
        list_all(one, only(one))


def test_what_another_runner_s_answer_pushed_aside_is_given_again(site: Site) -> None:
    posts = [post(site, number) for number in range(PAGE)]
    listed = serve_pages(site, posts, [post(site, PAGE)])
    one = source(site, listed)

    async def run() -> list[str]:
        async with Web("icf/test", AllowList([])) as web:
            lost = await one.step(only(one), web)
            assert lost.pictures
            again = await one.step(Task("gallery", listed, cursor="stored by X"), web)
            return [each.url for each in again.pictures]

    try:
        assert site.url("/files/0.gif") in asyncio.run(run())
    finally:
        one.reader.close()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"urls": []}, "urls"),
        ({"urls": "http://a.org/"}, r": urls: .* a list, .*; urls: .* a table$"),
        ({"character": "Tom"}, "a character and no album"),
        ({"option": {}}, "nearest known one is 'options'"),
        ({"patience": 0}, "patience"),
    ],
)
def test_a_wrong_table_is_wrong_use(keys: dict[str, object], words: str) -> None:
    table = {"name": "g", "kind": "gallery-dl", "urls": ["http://a.org/1.png"], **keys}
    with pytest.raises(WrongUse, match=words):
        GallerySource(table, Path(), HarvestSettings())


def test_without_gallery_dl_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gallery_dl", None)
    table = {"name": "g", "kind": "gallery-dl", "urls": ["http://a.org/1.png"]}
    with pytest.raises(WrongUse, match=r"icf-toolkit\[gallery\]"):
        GallerySource(table, Path(), HarvestSettings())


# --- in a workspace -------------------------------------------------------------------


def workspace_of(root: Path, site: Site, listed: str) -> Workspace:
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        f'[[source]]\nname = "g"\nkind = "gallery-dl"\nurls = ["{listed}"]\n'
        'album = "Cats"\ncharacter = "Tom"\n'
        "[source.options]\nretries = 0\n"
        f'[source.options.moebooru.here]\nroot = "http://{site.host}"\n'
        f"pattern = '{site.host}'\n"
    )
    return find(root)


def test_an_error_in_the_middle_keeps_what_came_before_and_can_be_retried(
    tmp_path: Path, site: Site
) -> None:
    posts = [post(site, number) for number in range(PAGE)]
    broken = answer(b"", "500 Internal Server Error")
    listed = serve_pages(site, posts, broken)
    made = workspace_of(tmp_path, site, listed)
    with pytest.raises(SomeFailed, match="1 listings failed"):
        call(tmp_path, "run")
    assert set(fates(made.catalogue).values()) == {"stored"}
    assert len(all_of(made.catalogue, url)) == PAGE
    (task,) = all_of(made.catalogue, discovery)
    assert task["status"] == "failed"
    assert "the listing broke off" in task["message"]
    assert "500" in task["message"]

    serve_pages(site, posts, [post(site, PAGE)])
    assert said(tmp_path, "retry")["listings"] == 1
    assert said(tmp_path, "run")["fates"] == {"stored": 1}
    assert len(all_of(made.catalogue, url)) == PAGE + 1
    assert len(all_of(made.catalogue, image_source)) == PAGE + 1
    assert [row["name"] for row in all_of(made.catalogue, album)] == ["Cats"]
    assert [row["name"] for row in all_of(made.catalogue, character)] == ["Tom"]


def test_nothing_is_written_outside_of_the_workspace(
    tmp_path: Path, site: Site
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    root = tmp_path / "space"
    workspace_of(root, site, serve_pages(site, [post(site, 1)]))
    run_program(root, home).communicate()
    assert len(all_of(find(root).catalogue, image_source)) == 1
    assert list(tmp_path.rglob("*gallery*")) == []


def test_killed_in_the_middle_the_same_command_goes_on(
    tmp_path: Path, site: Site
) -> None:
    posts = [post(site, number) for number in range(PAGE)]
    listed = serve_pages(site, posts)
    gone = threading.Event()

    async def hang(reader: asyncio.StreamReader, writer: object) -> None:
        # The child's end of the line closes when its parent was killed.
        await reader.read()
        gone.set()

    site.route(f"/post.json?tags=tom&page=2&limit={PAGE}", hang)
    made = workspace_of(tmp_path, site, listed)
    process = run_program(tmp_path, tmp_path)
    while len(all_of(made.catalogue, image_source)) < PAGE:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    gone.wait()

    serve_pages(site, posts, [post(site, PAGE)])
    call(tmp_path, "run")
    rows = all_of(made.catalogue, url)
    assert len(rows) == PAGE + 1
    assert {row["fate"] for row in rows} == {"stored"}
    (task,) = all_of(made.catalogue, discovery)
    assert task["status"] == "done"


def run_program(root: Path, home: Path) -> Forked:
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home)}
    words = "-C", root, "run"
    return Forked("icf-harvest", *words, folder=root, environment=environment)
