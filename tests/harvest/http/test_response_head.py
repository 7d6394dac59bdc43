"""Heads of responses as servers send them; the clients read the same ones."""

import asyncio
import gzip
from collections.abc import Callable
from contextlib import closing

import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits, read_body
from icf.harvest.http.body_end import BodyEnd
from icf.harvest.http.requests_session import GuardedSession
from icf.harvest.http.response_head import BadHead, tidied
from icf.harvest.http.session import Web
from tests.harvest.wire import JPEG, Site, answer

LIMITS = Limits(max_bytes=1_000_000, deadline=20.0, min_rate=0.0)
BODY = JPEG * 40
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def chunks(body: bytes) -> bytes:
    pieces = [body[n : n + 99] for n in range(0, len(body), 99)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "meaning"),
    [
        (b"Content-Length: 5\r\nContent-Length: 05", [b"Content-Length: 5"]),
        (b"content-length : 5, 5", [b"Content-Length: 5"]),
        (b"Content-Length: none", []),
        (b"Content-Length:", []),
        (b"Content-Length: -1", []),
        (b"Content-Length: " + b"9" * 40, [b"Content-Length: " + b"9" * 18]),
        (b"Content-Length: 5\r\nTransfer-Encoding: identity", [b"Content-Length: 5"]),
        (
            b"Content-Length: 5\r\nConnection: x\r\nTransfer-Encoding: chunked",
            [b"Transfer-Encoding: chunked", b"Connection: close"],
        ),
        (b"Transfer-Encoding: Chunked, chunked", [b"Transfer-Encoding: chunked"]),
        (
            b"Content-Encoding: br\r\nTransfer-Encoding: gzip, chunked",
            [b"Transfer-Encoding: chunked", b"Content-Encoding: br, gzip"],
        ),
        (b"X: a\r\n  b\r\n\tc", [b"X: a b c"]),
        (b"X: a\0b\rc\x01", [b"X: a b c"]),
        (b"no field\r\n: x\r\nX Y: 1\r\nX-\xf1: 1\r\nY: 2", [b"Y: 2"]),
        (b"X: ni\xf1o", ["X: niño".encode()]),
        ("X: niño".encode(), ["X: niño".encode()]),
        (b"Location: /fotos/a\xf1 o|.jpg", [b"Location: /fotos/a%F1 o|.jpg"]),
        ("Location: /niño%20.jpg".encode(), [b"Location: /ni%C3%B1o%20.jpg"]),
        (b"Location:\r\nLocation: /a\r\nlocation: /a", [b"Location: /a"]),
    ],
)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_head_is_written_as_the_standard_wants_it(
    head: bytes, meaning: list[bytes], line_end: bytes
) -> None:
    sent = b"HTTP/1.1 302 Found\r\n" + head + b"\r\n\r\n"
    lines = tidied(sent.replace(b"\r\n", line_end)).split(b"\r\n")
    assert lines == [b"HTTP/1.1 302 Found", *meaning, b"", b""]


@pytest.mark.parametrize(
    ("first", "meaning"),
    [
        (b"HTTP/1.1 200", b"HTTP/1.1 200 "),
        (b"HTTP/1.0  200  OK", b"HTTP/1.0 200 OK"),
        (b"http/2 200 Tr\xe8s bien", "HTTP/1.1 200 Très bien".encode()),
        (b"HTTP 200 OK", b"HTTP/1.1 200 OK"),
    ],
)
def test_a_status_line_is_read_as_browsers_do(first: bytes, meaning: bytes) -> None:
    assert tidied(first + b"\r\n\r\n").split(b"\r\n")[0] == meaning


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"Content-Length: 5\r\nContent-Length: 7", "Content-Length: 5 and 7"),
        (b"Content-Length: 5, 7", "Content-Length: 5 and 7"),
        (b"Transfer-Encoding: xchunked", "Transfer-Encoding: xchunked"),
        (b"Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, gzip"),
        (b"Location: /a\r\nLocation: /b", "Location: /a and /b"),
    ],
)
def test_a_head_with_two_meanings_is_refused_by_name(head: bytes, named: str) -> None:
    with pytest.raises(BadHead) as caught:
        tidied(b"HTTP/1.1 301 Moved\r\n" + head + b"\r\n\r\n")
    assert named in str(caught.value)


Client = Callable[[Site, str], bytes]


def by_worker(site: Site, url: str) -> bytes:
    async def fetch() -> bytes:
        async with (
            Web("icf/test", AllowList([site.host])) as web,
            web.open(url, deadline=20.0) as response,
        ):
            return b"".join([one async for one in read_body(response, LIMITS)])

    return asyncio.run(fetch())


def by_wiki(site: Site, url: str) -> bytes:
    with closing(GuardedSession("icf/test", AllowList([site.host]))) as session:
        return session.ask(url, LIMITS).body


CLIENTS = pytest.mark.parametrize("client", [by_worker, by_wiki])


def sending(site: Site, sent: bytes) -> str:
    """Serve bytes, and close the connection after them; return the URL."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for begin in range(0, len(sent), 50_000):
            writer.write(sent[begin : begin + 50_000])
            await writer.drain()

    return site.route("/1.jpg", send)


@CLIENTS
@pytest.mark.parametrize(
    "sent",
    [
        OK + LENGTH + CHUNKED + b"\r\n" + chunks(BODY),
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks(gzip.compress(BODY)),
        OK + b"Content-Length: none\r\n\r\n" + BODY,
        b"\r\n" + (OK + LENGTH).replace(b"\r\n", b"\n") + b"\n" + BODY,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + OK
        + LENGTH
        + b"\r\n"
        + BODY,
        OK + LENGTH + b"Link: " + b"x" * 200_000 + b"\r\n\r\n" + BODY,
        OK + b"Set-Cookie: a=b\r\n" * 500 + LENGTH + b"\r\n" + BODY,
        OK + LENGTH + b"X-\xf1 Y: \xf1\0\r\nETag: \xf1\r\n\r\n" + BODY,
        OK + CHUNKED + b"\r\n" + chunks(BODY) + b"\n<!-- made in 3 ms -->",
        OK + CHUNKED + b"\r\n" + b"%x \n%s\r\n00\nX: 1\n\n" % (len(BODY), BODY),
        OK + CHUNKED + b"\r\n" + chunks(BODY).removesuffix(b"\r\n"),
        OK + CHUNKED + b"\r\n" + chunks(BODY).removesuffix(b"\n"),
    ],
)
def test_what_a_browser_shows_comes_whole(
    site: Site, client: Client, sent: bytes
) -> None:
    assert client(site, sending(site, sent)) == BODY


@CLIENTS
@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (OK + LENGTH + b"Content-Length: 7\r\n\r\n" + BODY, "two lengths"),
        (OK + b"Transfer-Encoding: x\r\n\r\n" + BODY, "Transfer-Encoding: x"),
        (OK + b"Link: " + b"x" * 300_000 + b"\r\n\r\n", "a head of more than 262144"),
        (b"220 ftp.example ready\r\n" * 10, "no valid HTTP response"),
    ],
)
def test_what_is_unsafe_is_an_http_error_with_its_name(
    site: Site, client: Client, sent: bytes, named: str
) -> None:
    with pytest.raises(Fault) as caught:
        client(site, sending(site, sent))
    assert caught.value.fate is FetchStatus.HTTP_ERROR
    assert named in str(caught.value)


@CLIENTS
def test_a_redirect_leads_where_its_bytes_say(site: Site, client: Client) -> None:
    site.route("/fotos/a%F1o.jpg", answer(BODY))
    site.route("/ni%C3%B1o%20x.jpg", answer(BODY))
    for location in (b"/fotos/a\xf1o.jpg", "/niño x.jpg".encode()):
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
        url = site.route("/go", head + location + b"\r\n\r\n")
        assert client(site, url) == BODY


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nab\r\n0\r\n0\r\n\r\n",
        b"5;x=1\nab\r\n0\n0\nX: 1\nY: 2\n\n",
        b"0\r\n\r\n",
    ],
)
def test_the_last_chunk_ends_a_body_in_whatever_pieces_it_comes(
    step: int, body: bytes
) -> None:
    end = BodyEnd(tidied(OK + CHUNKED + b"\r\n"))
    sent = body + b"\r\n0\r\nmore"
    pieces = [sent[at : at + step] for at in range(0, len(sent), step)]
    assert sum(end.count(piece) for piece in pieces) == len(body)


@pytest.mark.parametrize("pause", [1, 3])
def test_bare_line_feeds_between_chunks_are_read_in_whatever_pieces_they_come(
    site: Site, pause: int
) -> None:
    sent = OK + CHUNKED + b"\r\n3\nabc\r\n2\r\nde\n0\n\n"

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(sent), pause):
            writer.write(sent[at : at + pause])
            await writer.drain()
            await asyncio.sleep(0.001)

    assert by_worker(site, site.route("/1.jpg", drip)) == b"abcde"


@CLIENTS
def test_chunks_without_the_last_one_are_truncated(site: Site, client: Client) -> None:
    sent = OK + CHUNKED + b"\r\n" + b"%x\r\n%s\r\n" % (len(BODY), BODY)
    with pytest.raises(Fault) as caught:
        client(site, sending(site, sent))
    assert caught.value.fate is FetchStatus.TRUNCATED


def test_what_is_no_chunk_is_left_to_the_parser() -> None:
    for sent in (b"xyz\r\n0\r\n\r\nmore", b"1\r\nabc0\r\n\r\n0\r\n\r\n"):
        assert BodyEnd(tidied(OK + CHUNKED + b"\r\n")).count(sent) == len(sent)
    until_closed = BodyEnd(tidied(OK))
    assert until_closed.count(BODY) == len(BODY)


def test_a_page_behind_an_answer_without_a_body_is_no_part_of_it(site: Site) -> None:
    gone = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n<html>no</html>"
    moved = gone.replace(b"404 Not Found", b"302 Found\r\nLocation: /2.jpg")
    site.route("/2.jpg", answer(BODY))
    assert by_worker(site, sending(site, moved)) == BODY
    assert by_worker(site, sending(site, gone)) == b""


def test_a_connection_with_more_than_its_answer_is_not_used_again(site: Site) -> None:
    forged = b"HTTP/1.1 200 OK\r\n\r\nforged"
    url = site.route("/1.jpg", OK + CHUNKED + b"\r\n" + chunks(BODY) + forged)

    async def fetch() -> int:
        async with Web("icf/test", AllowList([site.host])) as web:
            for _ in range(2):
                async with web.open(url, deadline=20.0) as response:
                    got = [one async for one in read_body(response, LIMITS)]
                    assert b"".join(got) == BODY
            return site.connections

    assert asyncio.run(fetch()) == 2


def test_a_connection_that_stays_open_is_used_again(site: Site) -> None:
    url = site.route(
        "/1.jpg", OK + LENGTH + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    )

    async def fetch() -> int:
        async with Web("icf/test", AllowList([site.host])) as web:
            for _ in range(3):
                async with web.open(url, deadline=20.0) as response:
                    got = [one async for one in read_body(response, LIMITS)]
                    assert b"".join(got) == BODY
            return site.connections

    assert asyncio.run(fetch()) == 1
