"""Each row of what a network can do to a fetch, against a real server on loopback."""

import asyncio
import gzip
import hashlib
import io
import socket
import zlib

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from icf.codes import FetchStatus
from icf.harvest.download.fetch import Fetched, Fetcher, NotModified, Wanted
from icf.harvest.fault import Fault
from icf.harvest.http import session
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits
from icf.harvest.http.robots import Robots
from icf.harvest.http.session import Web
from tests.harvest.wire import (
    JPEG,
    NamesOfTheTest,
    Site,
    answer,
    full_queue,
    redirect,
    reset,
)

SMALL = Limits(max_bytes=100_000, deadline=20.0, min_rate=0.0)


class Sink(io.BytesIO):
    """Bytes in memory."""

    @property
    def sha1(self) -> str:
        return hashlib.sha1(self.getvalue()).hexdigest()


def fetch(
    site: Site,
    url: str,
    *,
    limits: Limits = SMALL,
    allow: tuple[str, ...] | None = None,
    sha1: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    names: AbstractResolver | None = None,
) -> tuple[Fetched | NotModified, bytes]:
    """Fetch one URL the way a worker does; return the answer and the body."""

    async def once() -> tuple[Fetched | NotModified, bytes]:
        allowed = AllowList((site.host,) if allow is None else allow)
        sink = Sink()
        async with Web("icf/test (+tests)", allowed, names=names) as web:
            fetcher = Fetcher(web, Robots(web), limits)
            wanted = Wanted(url, sha1, etag, last_modified)
            got = await fetcher.fetch(wanted, sink)
        return got, sink.getvalue()

    return asyncio.run(once())


def fault(site: Site, url: str, **how: object) -> Fault:
    with pytest.raises(Fault) as caught:
        fetch(site, url, **how)  # type: ignore[arg-type]
    return caught.value


def test_a_picture_arrives_with_its_headers(site: Site) -> None:
    url = site.route("/a.jpg", answer(ETag='"v1"', Content_Type="image/jpeg"))
    got, body = fetch(site, url)
    assert body == JPEG
    assert got == Fetched(
        url, 200, len(JPEG), {"Content-Type": "image/jpeg", "ETag": '"v1"'}
    )


def test_we_say_who_we_are(site: Site) -> None:
    fetch(site, site.route("/a.jpg", answer()))
    assert "User-Agent: icf/test (+tests)" in site.heads[-1]


# --- broken bodies ------------------------------------------------------------------


async def _short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + JPEG)
    await writer.drain()


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _short(reader, writer)
    transport = writer.transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()


async def _half_chunk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc")
    await writer.drain()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 ftp.example ready\r\n" * 10)
    await writer.drain()


@pytest.mark.parametrize("handler", [_short, _reset, _half_chunk, reset])
def test_a_body_that_ends_early_is_truncated_and_worth_another_try(
    site: Site, handler: object
) -> None:
    found = fault(site, site.route("/a.jpg", handler))  # type: ignore[arg-type]
    assert (found.fate, found.again) == (FetchStatus.TRUNCATED, True)


def test_a_server_that_hangs_up_is_unreachable_and_worth_another_try(
    site: Site,
) -> None:
    found = fault(site, site.route("/a.jpg", _hang_up))
    assert (found.fate, found.again) == (FetchStatus.UNREACHABLE, True)


def test_a_server_that_does_not_speak_http_is_an_http_error(site: Site) -> None:
    found = fault(site, site.route("/a.jpg", _babble))
    assert (found.fate, found.again) == (FetchStatus.HTTP_ERROR, True)


def test_a_closed_port_is_unreachable(site: Site) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{deaf.getsockname()[1]}"
        found = fault(site, f"http://{host}/a.jpg", allow=(host,))
    assert (found.fate, found.again) == (FetchStatus.UNREACHABLE, True)


def test_a_host_that_takes_no_connection_is_unreachable(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CONNECT_SECONDS", 0.2)
    with full_queue() as host:
        found = fault(site, f"http://{host}/a.jpg", allow=(host,))
    assert (found.fate, found.again) == (FetchStatus.UNREACHABLE, True)
    assert "no connection within" in str(found)


def test_a_reset_within_the_tls_handshake_is_truncated(site: Site) -> None:
    async def reset_at_once() -> Fault:
        server = await asyncio.start_server(reset, "127.0.0.1", 0)
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            return await asyncio.to_thread(
                fault, site, f"https://{host}/a.jpg", allow=(host,)
            )

    found = asyncio.run(reset_at_once())
    assert (found.fate, found.again) == (FetchStatus.TRUNCATED, True)


def test_zero_bytes_are_empty(site: Site) -> None:
    assert fault(site, site.route("/a.jpg", answer(b""))).fate is FetchStatus.EMPTY


# --- too much ------------------------------------------------------------------------


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def _zeros(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A gigabyte of zeros in a megabyte of gzip."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    pack = zlib.compressobj(wbits=31)
    for _ in range(1000):
        writer.write(pack.compress(bytes(1_000_000)))
        await writer.drain()
    writer.write(pack.flush())
    await writer.drain()


def test_an_endless_body_is_cut_at_the_cap(site: Site) -> None:
    found = fault(site, site.route("/a.jpg", _endless))
    assert (found.fate, found.again) == (FetchStatus.TOO_LARGE, False)


def test_a_promise_over_the_cap_is_not_waited_for(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"
    assert fault(site, site.route("/a.jpg", head)).fate is FetchStatus.TOO_LARGE


def test_a_gzip_bomb_is_cut_at_the_cap_of_decoded_bytes(site: Site) -> None:
    found = fault(site, site.route("/a.jpg", _zeros))
    assert found.fate is FetchStatus.TOO_LARGE
    assert "decoded" in str(found)


def test_more_bytes_than_promised_are_an_http_error(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    found = fault(site, site.route("/a.jpg", head + JPEG + b"x\0" * 50_000))
    assert (found.fate, found.again) == (FetchStatus.HTTP_ERROR, True)
    assert len(str(found)) < 600
    assert "\0" not in str(found)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_packed_body_is_unpacked(site: Site, pack: object) -> None:
    packed = pack(JPEG)  # type: ignore[operator]
    name = "gzip" if pack is gzip.compress else "deflate"
    _, body = fetch(site, site.route("/a.jpg", answer(packed, Content_Encoding=name)))
    assert body == JPEG


@pytest.mark.parametrize(
    "damaged", [gzip.compress(JPEG, mtime=0)[:-9], b"no gzip at all"]
)
def test_a_damaged_packed_body_is_truncated(site: Site, damaged: bytes) -> None:
    reply = answer(damaged, Content_Encoding="gzip")
    assert fault(site, site.route("/a.jpg", reply)).fate is FetchStatus.TRUNCATED


def test_a_packing_that_was_not_asked_for_is_an_http_error(site: Site) -> None:
    reply = answer(b"...", Content_Encoding="compress")
    assert fault(site, site.route("/a.jpg", reply)).fate is FetchStatus.HTTP_ERROR


# --- too slow ------------------------------------------------------------------------


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def test_a_trickle_is_a_timeout_by_its_rate(site: Site) -> None:
    limits = Limits(min_rate=10_000.0, grace=0.1)
    found = fault(site, site.route("/a.jpg", _drip), limits=limits)
    assert found.fate is FetchStatus.TIMEOUT
    assert "bytes per second" in str(found)


@pytest.mark.parametrize("handler", [_drip, _silent])
def test_nothing_takes_longer_than_the_deadline(site: Site, handler: object) -> None:
    limits = Limits(min_rate=0.0, deadline=0.3)
    url = site.route("/a.jpg", handler)  # type: ignore[arg-type]
    found = fault(site, url, limits=limits)
    assert (found.fate, found.again) == (FetchStatus.TIMEOUT, True)


# --- redirects and addresses ---------------------------------------------------------


def test_five_redirects_are_followed(site: Site) -> None:
    for step in range(5):
        site.route(f"/{step}", redirect(f"/{step + 1}"))
    site.route("/5", answer())
    got, body = fetch(site, site.url("/0"))
    assert isinstance(got, Fetched)
    assert (got.url, body) == (site.url("/5"), JPEG)


def test_a_redirect_loop_ends(site: Site) -> None:
    url = site.route("/a", redirect("/b"))
    site.route("/b", redirect("/a"))
    assert fault(site, url).fate is FetchStatus.TOO_MANY_REDIRECTS
    assert len(site.asked) == 1 + 6, "robots.txt, the picture and five redirects"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_of_any_status_is_followed(site: Site, status: int) -> None:
    site.route("/b", answer())
    reply = answer(b"<a href='/b'>", f"{status} Elsewhere", Location="b#top")
    assert fetch(site, site.route("/a", reply))[1] == JPEG


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://a.org/", "data:,x"])
def test_a_redirect_to_another_scheme_is_not_followed(site: Site, to: str) -> None:
    assert (
        fault(site, site.route("/a.jpg", redirect(to))).fate is FetchStatus.BAD_SCHEME
    )


@pytest.mark.parametrize(
    "to",
    ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost:1/", "http://127.1"],
)
def test_a_redirect_to_a_private_address_is_not_followed(site: Site, to: str) -> None:
    found = fault(site, site.route("/a.jpg", redirect(to)))
    assert found.fate is FetchStatus.FORBIDDEN_ADDRESS


def test_this_machine_is_forbidden_unless_the_user_allows_it(site: Site) -> None:
    found = fault(site, site.route("/a.jpg", answer()), allow=())
    assert (found.fate, found.again) == (FetchStatus.FORBIDDEN_ADDRESS, False)
    assert site.asked == []


def test_a_name_that_leads_to_this_machine_is_forbidden(site: Site) -> None:
    names = NamesOfTheTest({"evil.org": "127.0.0.1"})
    found = fault(site, f"http://evil.org:{site.port}/a.jpg", names=names)
    assert found.fate is FetchStatus.FORBIDDEN_ADDRESS
    assert site.asked == []


def test_an_allowed_name_is_connected_to(site: Site) -> None:
    site.route("/a.jpg", answer())
    names = NamesOfTheTest({"my.wiki": "127.0.0.1"})
    url = f"http://my.wiki:{site.port}/a.jpg"
    _, body = fetch(site, url, names=names, allow=("my.wiki",))
    assert body == JPEG


def test_a_silent_name_service_is_not_the_fault_of_the_url(site: Site) -> None:
    found = fault(site, "http://some.org/a.jpg", names=NamesOfTheTest({}))
    assert found.names_down


@pytest.mark.slow
def test_a_name_that_nobody_has_is_unreachable(site: Site) -> None:
    class Nobody(aiohttp.ThreadedResolver):
        async def resolve(
            self,
            host: str,
            port: int = 0,
            family: socket.AddressFamily = socket.AF_INET,
        ) -> list[ResolveResult]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown name")

    async def once() -> None:
        async with Web("icf/test", AllowList([]), names=Nobody()) as web:
            fetcher = Fetcher(web, Robots(web), SMALL)
            await fetcher.fetch(Wanted("http://nobody.example/a.jpg"), Sink())

    with pytest.raises(Fault) as caught:
        asyncio.run(once())
    assert (caught.value.fate, caught.value.names_down) == (
        FetchStatus.UNREACHABLE,
        False,
    )


# --- refusals ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fate", "again"),
    [
        ("404 Not Found", FetchStatus.NOT_FOUND, False),
        ("410 Gone", FetchStatus.GONE, False),
        ("401 Unauthorized", FetchStatus.REFUSED, False),
        ("403 Forbidden", FetchStatus.REFUSED, False),
        ("500 Oops", FetchStatus.HTTP_ERROR, True),
        ("502 Bad Gateway", FetchStatus.HTTP_ERROR, True),
        ("408 Request Timeout", FetchStatus.HTTP_ERROR, True),
        ("522 Timed Out", FetchStatus.HTTP_ERROR, True),
        ("418 Teapot", FetchStatus.HTTP_ERROR, False),
        ("206 Partial Content", FetchStatus.HTTP_ERROR, False),
        ("202 Accepted", FetchStatus.HTTP_ERROR, True),
        ("201 Created", FetchStatus.HTTP_ERROR, False),
        ("304 Not Modified", FetchStatus.HTTP_ERROR, False),
    ],
)
def test_each_status_has_its_fate(
    site: Site, status: str, fate: FetchStatus, again: bool
) -> None:
    found = fault(site, site.route("/a.jpg", answer(b"", status)))
    assert (found.fate, found.again) == (fate, again)
    assert found.http_status == int(status[:3])
    assert found.wait is None


ALL = f"bytes 0-{len(JPEG) - 1}/{len(JPEG)}"


@pytest.mark.parametrize(
    ("status", "content_range"),
    [
        ("203 Transformed", None),
        ("226 IM Used", None),
        ("299 Of a later standard", None),
        ("206 Partial Content", ALL),
        ("206 Partial Content", ALL.replace("bytes ", " Bytes  ")),
    ],
)
def test_a_status_that_brings_all_of_a_picture_is_as_good_as_200(
    site: Site, status: str, content_range: str | None
) -> None:
    fields = {} if content_range is None else {"Content_Range": content_range}
    url = site.route("/a.jpg", answer(JPEG, status, **fields))
    got, body = fetch(site, url)
    assert (got.status, body) == (int(status[:3]), JPEG)


@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 0-{len(JPEG) - 1}/{len(JPEG) + 1}",
        f"bytes 1-{len(JPEG)}/{len(JPEG) + 1}",
        f"bytes 0-{len(JPEG) - 1}/*",
        f"bytes */{len(JPEG)}",
        f"bytes=0-{len(JPEG) - 1}/{len(JPEG)}",
        f"{ALL}, {ALL}",
        "bytes 0-9x/10",
        "",
    ],
)
def test_a_206_that_may_be_a_part_is_an_http_error(
    site: Site, content_range: str
) -> None:
    reply = answer(status="206 Partial Content", Content_Range=content_range)
    found = fault(site, site.route("/a.jpg", reply))
    assert (found.fate, found.again) == (FetchStatus.HTTP_ERROR, False)


@pytest.mark.parametrize("head", ["", "Content-Length: 5\r\n"])
def test_a_206_shorter_than_its_range_is_truncated(site: Site, head: str) -> None:
    async def part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = f"HTTP/1.1 206 Partial Content\r\nContent-Range: {ALL}\r\n{head}\r\n"
        writer.write(first.encode() + JPEG[:5])
        await writer.drain()

    found = fault(site, site.route("/a.jpg", part))
    assert (found.fate, found.again) == (FetchStatus.TRUNCATED, True)


@pytest.mark.parametrize("status", ["429 Slow Down", "503 Busy"])
def test_a_host_that_asks_to_be_left_alone_is_told_from_a_failure(
    site: Site, status: str
) -> None:
    reply = answer(b"", status, Retry_After="7")
    found = fault(site, site.route("/a.jpg", reply))
    assert (found.host, found.wait, found.again) == (site.host, 7.0, True)


def test_a_picture_with_an_opt_out_is_left_alone(site: Site) -> None:
    reply = answer(X_Robots_Tag="nofollow, noimageai")
    found = fault(site, site.route("/a.jpg", reply))
    assert found.fate is FetchStatus.OPTED_OUT
    assert "noimageai" in str(found)


# --- robots.txt ----------------------------------------------------------------------


def test_robots_txt_is_obeyed_and_asked_for_once(site: Site) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nDisallow: /private/\n"))
    site.route("/private/a.jpg", answer())
    site.route("/open", redirect("/private/a.jpg"))
    assert fault(site, site.url("/private/a.jpg")).fate is FetchStatus.DISALLOWED
    assert fault(site, site.url("/open")).fate is FetchStatus.DISALLOWED
    assert "/private/a.jpg" not in site.asked


@pytest.mark.parametrize("status", ["203 Transformed", "299 Of a later standard"])
def test_a_robots_txt_that_a_proxy_passed_on_is_obeyed(site: Site, status: str) -> None:
    rules = answer(b"User-agent: *\nDisallow: /private/\n", status)
    site.route("/robots.txt", rules)
    url = site.route("/private/a.jpg", answer())
    assert fault(site, url).fate is FetchStatus.DISALLOWED
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize("path", ["/x/../private/a.jpg", "/%2E%2e/private/a.jpg"])
def test_dots_do_not_lead_around_robots_txt(site: Site, path: str) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nDisallow: /private/\n"))
    assert fault(site, site.route(path, answer())).fate is FetchStatus.DISALLOWED
    assert path not in site.asked


@pytest.mark.parametrize("location", ["/robots.txt", "ftp://a.org/robots.txt"])
def test_a_robots_txt_whose_redirects_lead_nowhere_forbids_nothing(
    site: Site, location: str
) -> None:
    site.route("/robots.txt", redirect(location))
    fetch(site, site.route("/a.jpg", answer()))
    assert "/a.jpg" in site.asked


def test_the_beginning_of_a_robots_txt_of_any_length_is_obeyed(site: Site) -> None:
    site.route(
        "/robots.txt", answer(b"User-agent: *\nDisallow: /a\n" + b"#" * 1_000_000)
    )
    url = site.route("/a.jpg", answer())
    assert fault(site, url).fate is FetchStatus.DISALLOWED


def test_rules_for_our_name_win_over_rules_for_all(site: Site) -> None:
    text = b"User-agent: *\nDisallow: /\n\nUser-agent: icf\nAllow: /\n"
    site.route("/robots.txt", answer(text))
    fetch(site, site.route("/a.jpg", answer()))
    assert "/a.jpg" in site.asked


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden"])
def test_without_a_robots_txt_everything_is_allowed(site: Site, status: str) -> None:
    site.route("/robots.txt", answer(b"", status))
    fetch(site, site.route("/a.jpg", answer()))
    assert "/a.jpg" in site.asked


def test_a_robots_txt_that_cannot_be_had_now_makes_the_host_wait(site: Site) -> None:
    site.route("/robots.txt", answer(b"", "503 Busy", Retry_After="9"))
    found = fault(site, site.route("/a.jpg", answer()))
    assert (found.host, found.wait) == (site.host, 9.0)
    assert "/a.jpg" not in site.asked


def test_robots_txt_is_asked_for_once_for_many_pictures(site: Site) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 2\n"))
    urls = [site.route(f"/{n}.jpg", answer()) for n in range(5)]

    async def all_of_them() -> float | None:
        async with Web("icf/test", AllowList([site.host])) as web:
            robots = Robots(web)
            fetcher = Fetcher(web, robots, SMALL)
            fetches = [fetcher.fetch(Wanted(url), Sink()) for url in urls]
            await asyncio.gather(*fetches)
            return robots.delay(urls[0])

    assert asyncio.run(all_of_them()) == 2.0
    assert site.asked.count("/robots.txt") == 1


def test_a_huge_robots_txt_is_read_up_to_a_cap(site: Site) -> None:
    async def huge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /private\n")
        while True:
            writer.write(b"# nothing\n" * 10_000)
            await writer.drain()

    site.route("/robots.txt", huge)
    fetch(site, site.route("/a.jpg", answer()))
    assert fault(site, site.url("/private")).fate is FetchStatus.DISALLOWED


# --- what the bytes are --------------------------------------------------------------


def test_bytes_with_another_sha1_than_promised_are_a_mismatch(site: Site) -> None:
    url = site.route("/a.jpg", answer())
    fetch(site, url, sha1=hashlib.sha1(JPEG).hexdigest())
    found = fault(site, url, sha1="0" * 40)
    assert (found.fate, found.again) == (FetchStatus.HASH_MISMATCH, True)


def test_asked_again_the_server_can_say_that_nothing_changed(site: Site) -> None:
    url = site.route("/a.jpg", answer(b"", "304 Not Modified"))
    got, _ = fetch(site, url, etag='"v1"')
    assert isinstance(got, NotModified)
    assert 'If-None-Match: "v1"' in site.heads[-1]


def test_a_server_without_etags_is_asked_by_the_time_of_the_last_change(
    site: Site,
) -> None:
    url = site.route("/a.jpg", answer(b"", "304 Not Modified"))
    then = "Wed, 21 Oct 2015 07:28:00 GMT"
    got, _ = fetch(site, url, last_modified=then)
    assert isinstance(got, NotModified)
    assert f"If-Modified-Since: {then}" in site.heads[-1]
