"""What a network can do to a call through `requests`; a real server on loopback."""

import asyncio
import errno
import gzip
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp
import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList, Names, system_names
from icf.harvest.http.body import Limits
from icf.harvest.http.requests_session import GuardedSession, Reply
from icf.harvest.http.session import faults_of
from tests.harvest.wire import Handler, Site, answer, redirect, reset

SMALL = Limits(max_bytes=100_000, deadline=20.0, min_rate=0.0)


def ask(
    url: str,
    *allow: str,
    limits: Limits = SMALL,
    names: Names = system_names,
    form: dict[str, str] | None = None,
) -> Reply:
    with closing(GuardedSession("icf/test (+me)", AllowList(allow), names)) as session:
        return session.ask(url, limits, form=form)


def fault(url: str, *allow: str, **how: object) -> Fault:
    with pytest.raises(Fault) as caught:
        ask(url, *allow, **how)  # type: ignore[arg-type]
    return caught.value


def serving(*parts: bytes, then_wait: bool = False) -> Handler:
    """A handler that writes bytes, and then closes the connection or does nothing."""

    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then_wait:
            await reader.read()

    return write


HEAD = b"HTTP/1.1 200 OK\r\n"


def test_a_response_comes_whole(site: Site) -> None:
    url = site.route("/a", answer(b"{}", Content_Type="application/json"))
    reply = ask(url, site.host)
    assert (reply.url, reply.status, reply.body) == (url, 200, b"{}")
    assert reply.headers["content-type"] == "application/json"
    assert "User-Agent: icf/test (+me)" in site.heads[-1]


def test_what_a_proxy_transformed_is_read_too(site: Site) -> None:
    reply = ask(site.route("/a", answer(b"{}", "203 Transformed")), site.host)
    assert (reply.status, reply.body) == (203, b"{}")


def test_a_form_is_posted(site: Site) -> None:
    bodies: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await reader.readexactly(3))
        writer.write(answer(b"ok"))
        await writer.drain()

    reply = ask(site.route("/a", take), site.host, form={"a": "b"})
    assert (bodies, reply.body) == ([b"a=b"], b"ok")
    assert site.heads[-1].startswith("POST ")


def test_the_body_of_a_refusal_is_not_read(site: Site) -> None:
    reply = ask(site.route("/a", answer(b"x" * 200_000, "503 Busy")), site.host)
    assert (reply.status, reply.reason, reply.body) == (503, "Busy", b"")


def test_cookies_are_neither_kept_nor_sent(site: Site) -> None:
    url = site.route("/a", answer(b"ok", Set_Cookie="who=you; Path=/"))
    with closing(GuardedSession("icf/test", AllowList([site.host]))) as session:
        session.ask(url, SMALL)
        session.ask(url, SMALL)
    assert not [head for head in site.heads if "cookie" in head.lower()]


def test_a_proxy_of_the_environment_is_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ask(site.route("/a", answer(b"ok")), site.host).body == b"ok"


def test_a_connection_is_used_again(site: Site) -> None:
    url = site.route("/a", answer(b"ok"))
    asked_at: list[Sequence[str]] = []

    def names(host: str, port: int) -> list[str]:
        asked_at.append(host)
        return ["127.0.0.1"]

    allow = AllowList(["my.wiki"])
    with closing(GuardedSession("icf/test", allow, names)) as session:
        for _ in range(3):
            session.ask(url.replace("127.0.0.1", "my.wiki"), SMALL)
    assert len(site.asked) == 3
    assert asked_at == ["my.wiki"]


# --- broken, too much, too slow -------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "fate"),
    [
        (serving(HEAD + b"Content-Length: 9\r\n\r\nabc"), FetchStatus.TRUNCATED),
        (
            serving(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\na"),
            FetchStatus.TRUNCATED,
        ),
        (
            serving(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            FetchStatus.TRUNCATED,
        ),
        (serving(HEAD + b"Content-Encoding: gzip\r\n\r\nno"), FetchStatus.TRUNCATED),
        (reset, FetchStatus.TRUNCATED),
        (serving(), FetchStatus.UNREACHABLE),
        (serving(b"220 ftp.example ready\r\n" * 9), FetchStatus.HTTP_ERROR),
        (serving(HEAD + b"X: " + b"y" * 300_000), FetchStatus.HTTP_ERROR),
    ],
)
def test_what_breaks_on_its_way_is_worth_another_try(
    site: Site, handler: Handler, fate: FetchStatus
) -> None:
    found = fault(site.route("/a", handler), site.host)
    assert (found.fate, found.again) == (fate, True)


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (aiohttp.ClientOSError(errno.ECONNRESET, "reset"), FetchStatus.TRUNCATED),
        # As aiohttp says of one that came while it wrote.
        (aiohttp.ClientConnectionResetError("Connection lost"), FetchStatus.TRUNCATED),
        (aiohttp.ServerDisconnectedError(), FetchStatus.UNREACHABLE),
        (aiohttp.ClientOSError(errno.EPIPE, "broken"), FetchStatus.UNREACHABLE),
    ],
)
def test_a_reset_is_one_however_a_page_learns_of_it(
    error: aiohttp.ClientError, fate: FetchStatus
) -> None:
    with pytest.raises(Fault) as found, faults_of("a", FetchStatus.UNREACHABLE):
        raise error
    assert (found.value.fate, found.value.again) == (fate, True)


def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{deaf.getsockname()[1]}"
        found = fault(f"http://{host}/", host)
    assert (found.fate, found.again) == (FetchStatus.UNREACHABLE, True)


def bomb() -> bytes:
    """A megabyte of zeros in a kilobyte of gzip."""
    return gzip.compress(bytes(1_000_000), mtime=0)


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"x" * 100_001),
        HEAD + b"\r\n" + b"x" * 200_000,
        answer(bomb(), Content_Encoding="gzip"),
    ],
    ids=["announced", "not announced", "packed"],
)
def test_what_is_over_the_cap_is_cut(site: Site, reply: bytes) -> None:
    found = fault(site.route("/a", serving(reply)), site.host)
    assert (found.fate, found.again) == (FetchStatus.TOO_LARGE, False)


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_packed_body_is_unpacked(
    site: Site, name: str, pack: Callable[[bytes], bytes]
) -> None:
    url = site.route("/a", answer(pack(b"hello"), Content_Encoding=name))
    assert ask(url, site.host).body == b"hello"


def test_a_packing_that_was_not_asked_for_is_an_http_error(site: Site) -> None:
    url = site.route("/a", answer(b"...", Content_Encoding="compress"))
    assert fault(url, site.host).fate is FetchStatus.HTTP_ERROR


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
    await _drip_on(writer)


async def _drip_head(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Every byte comes before the timeout of a read, and the head never ends."""
    writer.write(HEAD + b"X-Slow: ")
    await _drip_on(writer)


async def _drip_on(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handler", [_drip, _drip_head, serving(then_wait=True)])
def test_nothing_takes_longer_than_the_deadline(site: Site, handler: Handler) -> None:
    limits = Limits(min_rate=0.0, deadline=0.3)
    found = fault(site.route("/a", handler), site.host, limits=limits)
    assert (found.fate, found.again) == (FetchStatus.TIMEOUT, True)


def test_a_trickle_is_a_timeout_by_its_rate(site: Site) -> None:
    limits = Limits(min_rate=10_000.0, grace=0.1)
    found = fault(site.route("/a", _drip), site.host, limits=limits)
    assert found.fate is FetchStatus.TIMEOUT
    assert "bytes per second" in str(found)


def test_a_call_can_be_cut_from_another_thread(site: Site) -> None:
    asked = threading.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()

    url, found = site.route("/a", wait), []
    with closing(GuardedSession("icf/test", AllowList([site.host]))) as session:

        def call() -> None:
            with pytest.raises(Fault) as caught:
                session.ask(url, SMALL)
            found.append(caught.value.fate)

        caller = threading.Thread(target=call)
        caller.start()
        asked.wait()
        session.cut()
        caller.join()
        assert found == [FetchStatus.TIMEOUT]
        assert session.ask(site.route("/b", answer(b"ok")), SMALL).body == b"ok"


# --- redirects and addresses ---------------------------------------------------------


def test_five_redirects_are_followed(site: Site) -> None:
    for step in range(5):
        site.route(f"/{step}", redirect(f"/{step + 1}"))
    site.route("/5", answer(b"ok"))
    assert ask(site.url("/0"), site.host).url == site.url("/5")


def test_a_redirect_loop_ends(site: Site) -> None:
    url = site.route("/a", redirect("/b"))
    site.route("/b", redirect("/a"))
    assert fault(url, site.host).fate is FetchStatus.TOO_MANY_REDIRECTS


@pytest.mark.parametrize(
    ("to", "fate"),
    [
        ("file:///etc/passwd", FetchStatus.BAD_SCHEME),
        ("ftp://a.org/", FetchStatus.BAD_SCHEME),
        ("data:,x", FetchStatus.BAD_SCHEME),
        ("http://127.0.0.1:1/", FetchStatus.FORBIDDEN_ADDRESS),
        ("http://[::1]/", FetchStatus.FORBIDDEN_ADDRESS),
        ("http://[::ffff:10.0.0.1]/", FetchStatus.FORBIDDEN_ADDRESS),
        ("http://localhost:1/", FetchStatus.FORBIDDEN_ADDRESS),
        ("http://127.1/", FetchStatus.FORBIDDEN_ADDRESS),
        ("http://169.254.169.254/latest", FetchStatus.FORBIDDEN_ADDRESS),
    ],
)
def test_a_redirect_is_checked_like_a_url(
    site: Site, to: str, fate: FetchStatus
) -> None:
    assert fault(site.route("/a", redirect(to)), site.host).fate is fate


def test_this_machine_is_forbidden_unless_the_user_allows_it(site: Site) -> None:
    found = fault(site.route("/a", answer()))
    assert (found.fate, found.again) == (FetchStatus.FORBIDDEN_ADDRESS, False)
    assert site.asked == []


def test_a_name_is_connected_to_at_the_very_address_that_was_checked(
    site: Site,
) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    def changing(host: str, port: int) -> list[str]:
        return next(answers)

    url = site.route("/a", answer(b"ok")).replace("127.0.0.1", "my.wiki")
    assert ask(url, "my.wiki", names=changing).body == b"ok"
    assert list(answers) == [["127.0.0.2"]]


def test_a_name_that_leads_to_this_machine_is_forbidden(site: Site) -> None:
    url = site.route("/a", answer()).replace("127.0.0.1", "evil.org")
    found = fault(url, names=lambda host, port: ["127.0.0.1", "::1"])
    assert found.fate is FetchStatus.FORBIDDEN_ADDRESS
    assert site.asked == []


@pytest.mark.parametrize(
    ("errno", "down"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)]
)
def test_a_silent_name_service_is_not_the_fault_of_the_url(
    errno: int, down: bool
) -> None:
    def names(host: str, port: int) -> list[str]:
        raise socket.gaierror(errno, "no")

    found = fault("http://some.example/a", names=names)
    assert (found.fate, found.names_down) == (FetchStatus.UNREACHABLE, down)


# --- certificates ---------------------------------------------------------------------


@contextmanager
def _secure(folder: Path) -> Iterator[str]:
    """A server whose certificate nobody has signed; yields its host."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
    made = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", *words.split(), "subjectAltName=IP:127.0.0.1", *made],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            wire, _ = server.accept()
            try:
                with context.wrap_socket(wire, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(answer(b"ok"))
            except OSError:
                wire.close()  # the client did not like the certificate

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    with _secure(tmp_path) as host:
        found = fault(f"https://{host}/", host)
    assert (found.fate, found.again) == (FetchStatus.UNREACHABLE, False)
    assert "certificate" in str(found).lower()


def test_an_authority_of_the_system_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _secure(tmp_path) as host:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert ask(f"https://{host}/", host).body == b"ok"
