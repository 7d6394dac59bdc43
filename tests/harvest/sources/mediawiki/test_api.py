"""What an ``api.php`` can answer, from a real server on loopback."""

import asyncio
import json
import threading
from contextlib import closing
from typing import Any

import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits
from icf.harvest.http.requests_session import GuardedSession
from icf.harvest.sources.mediawiki.api import Batch, Continue, MediaWikiApi
from tests.harvest.wire import Handler, Site, answer

ASKED = {"titles": "Rabbit", "generator": "images"}


def said(value: object, status: str = "200 OK", **headers: str) -> bytes:
    """A response whose body is JSON."""
    return answer(json.dumps(value).encode(), status, **headers)


def pages(*found: dict[str, Any], **rest: Any) -> bytes:
    """A complete batch with these pages."""
    return said({"batchcomplete": True, "query": {"pages": list(found)}, **rest})


def ask(
    site: Site,
    *answers: bytes | Handler,
    asked: dict[str, str] = ASKED,
    rest: Continue | None = None,
    attempts: int = 2,
) -> Batch:
    endpoint = site.route("/w/api.php", *answers)

    async def once() -> Batch:
        api = MediaWikiApi(
            endpoint, session, limits=Limits(), attempts=attempts, backoff=0.0
        )
        return await api.batch(asked, rest)

    with closing(GuardedSession("icf/test", AllowList([site.host]))) as session:
        return asyncio.run(once())


def test_a_batch_is_its_pages_and_where_the_next_one_begins(site: Site) -> None:
    batch = ask(site, pages({"title": "A"}, **{"continue": {"gimcontinue": "7"}}))
    assert batch.pages == [{"title": "A"}]
    assert batch.rest == {"gimcontinue": "7"}
    assert "maxlag=5" in site.asked[-1]


def test_the_next_batch_is_asked_for_with_the_sites_own_token(site: Site) -> None:
    assert ask(site, pages(), rest={"gimcontinue": "7|x"}).rest is None
    assert "gimcontinue=7%7Cx" in site.asked[-1]


def test_properties_that_come_with_a_later_continue_are_merged(site: Site) -> None:
    first = {"title": "File:A.png", "templates": [{"title": "Template:B"}]}
    later = {
        "title": "File:A.png",
        "templates": [{"title": "Template:PD"}],
        "imageinfo": [{"url": "http://x/A.png"}],
    }
    half = {"query": {"pages": [first]}, "continue": {"iicontinue": "A"}}
    batch = ask(site, said(half), pages(later))
    assert batch.pages == [
        {
            "title": "File:A.png",
            "templates": [{"title": "Template:B"}, {"title": "Template:PD"}],
            "imageinfo": [{"url": "http://x/A.png"}],
        }
    ]


def test_lists_that_come_in_parts_are_joined(site: Site) -> None:
    part = {"query": {"categorymembers": [1]}, "continue": {"cmcontinue": "2"}}
    batch = ask(site, said(part), said({"query": {"categorymembers": [2]}}))
    assert batch.query["categorymembers"] == [1, 2]


def test_the_older_form_of_pages_is_read_too(site: Site) -> None:
    old = {"query": {"pages": {"17": {"pageid": 17, "title": "A"}}}}
    assert ask(site, said(old)).pages == [{"pageid": 17, "title": "A"}]


OLDER = said(
    {"query": {"pages": {}}, "query-continue": {"images": {"gimcontinue": "7"}}}
)


def test_a_list_of_an_older_wiki_does_not_end_at_its_first_batch(site: Site) -> None:
    newer = pages({"title": "A"}, **{"continue": {"gimcontinue": "7", "continue": ""}})
    batch = ask(site, OLDER, newer)
    assert batch.pages == [{"title": "A"}]
    assert batch.rest == {"gimcontinue": "7", "continue": ""}
    first, second = site.asked
    assert second == f"{first}&continue="


def test_a_wiki_that_is_too_old_for_that_says_so(site: Site) -> None:
    with pytest.raises(Fault, match=r"before MediaWiki 1\.21"):
        ask(site, OLDER)
    assert len(site.asked) == 2


def test_an_answer_without_a_query_is_an_empty_batch(site: Site) -> None:
    assert ask(site, said({"batchcomplete": True})).pages == []


def test_a_continue_that_leads_in_a_circle_ends(site: Site) -> None:
    circle = said({"continue": {"iicontinue": "A"}})
    with pytest.raises(Fault, match="came twice"):
        ask(site, circle)


@pytest.mark.parametrize("code", ["maxlag", "ratelimited", "readonly"])
def test_maxlag_on_status_200_is_waited_out(site: Site, code: str) -> None:
    lagged = {"error": {"code": code, "info": "7 seconds lagged"}}
    batch = ask(site, said(lagged, Retry_After="0"), pages({"title": "A"}))
    assert len(batch.pages) == 1


@pytest.mark.parametrize("status", ["429 Slow Down", "503 Busy"])
@pytest.mark.parametrize("after", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_busy_site_is_waited_for(site: Site, status: str, after: str) -> None:
    busy = answer(b"busy", status, Retry_After=after)
    assert ask(site, busy, busy, busy, pages({"title": "A"})).pages


def test_a_site_that_stays_busy_is_a_fault_in_the_end(site: Site) -> None:
    busy = answer(b"busy", "503 Busy", Retry_After="0")
    with pytest.raises(Fault) as caught:
        ask(site, busy)
    assert caught.value.http_status == 503
    assert len(site.asked) == 6


def test_html_where_json_was_due_is_tried_again(site: Site) -> None:
    page = answer(b"<html>Just a moment</html>", Content_Type="text/html")
    assert ask(site, page, pages({"title": "A"})).pages


def test_html_that_keeps_coming_is_shown(site: Site) -> None:
    page = answer(b"<html>Just a moment</html>", Content_Type="text/html")
    with pytest.raises(
        Fault, match=r"text/html came where JSON was due.*Just a moment"
    ):
        ask(site, page)


@pytest.mark.parametrize("text", [b"[1, 2]", b'"x"', b'{"query": ', b"\xff\xfe"])
def test_other_bytes_where_an_object_was_due_are_a_fault(
    site: Site, text: bytes
) -> None:
    with pytest.raises(Fault) as caught:
        ask(site, answer(text))
    assert caught.value.fate is FetchStatus.HTTP_ERROR


def test_an_error_of_the_site_is_not_asked_for_twice(site: Site) -> None:
    wrong = {"error": {"code": "invalidcategory", "info": "no such thing"}}
    with pytest.raises(Fault, match="invalidcategory: no such thing"):
        ask(site, said(wrong))
    assert len(site.asked) == 1


def test_an_internal_error_of_the_site_is_tried_again(site: Site) -> None:
    broken = {"error": {"code": "internal_api_error_DBQueryError", "info": "x"}}
    assert ask(site, said(broken), pages({"title": "A"})).pages


@pytest.mark.parametrize(
    ("status", "fate"),
    [("404 Not Found", FetchStatus.NOT_FOUND), ("403 Forbidden", FetchStatus.REFUSED)],
)
def test_an_address_without_an_api_says_so(
    site: Site, status: str, fate: FetchStatus
) -> None:
    with pytest.raises(Fault, match=r"where an api\.php should be") as caught:
        ask(site, answer(b"", status))
    assert caught.value.fate is fate


def test_many_titles_go_in_the_body_of_a_post(site: Site) -> None:
    bodies: list[str] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append((await reader.read(65536)).decode())
        writer.write(pages({"title": "A"}))
        await writer.drain()

    titles = "|".join(f"東京 Robot {n}" for n in range(50))
    assert ask(site, take, asked={"titles": titles}).pages
    assert site.heads[-1].startswith("POST /w/api.php HTTP")
    assert "Robot+49" in bodies[0]
    assert "maxlag=5" in bodies[0]


def test_a_call_that_is_cancelled_does_not_keep_the_program(site: Site) -> None:
    asked = threading.Event()

    async def silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked.set()
        await reader.read()

    endpoint = site.route("/w/api.php", silent)

    async def give_up(session: GuardedSession) -> None:
        api = MediaWikiApi(endpoint, session, limits=Limits(deadline=1e6))
        call = asyncio.create_task(api.batch(ASKED))
        await asyncio.to_thread(asked.wait)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    # The end of asyncio.run waits for its threads.
    with closing(GuardedSession("icf/test", AllowList([site.host]))) as session:
        asyncio.run(give_up(session))
