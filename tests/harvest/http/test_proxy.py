"""Requests through a proxy: what it brings, what it refuses, what it cannot be."""

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pydantic
import pytest

from icf.catalogue.schema import url
from icf.codes import FetchStatus
from icf.errors import BrokenMachine
from icf.harvest.fault import Fault
from icf.harvest.http import dns_health, requests_session, session
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits
from icf.harvest.http.proxy import Proxy
from icf.harvest.http.requests_session import GuardedSession
from icf.harvest.http.session import Web
from icf.harvest.run import harvest
from icf.settings import HarvestSettings
from icf.workspace import find, init
from tests.harvest.rows import all_of, fates
from tests.harvest.sources.web_rules.sites import html, png, serving_tls, workspace
from tests.harvest.wire import Handler, Site, answer, full_queue, redirect

LIMITS = Limits(max_bytes=100_000, deadline=20.0, min_rate=0.0)

#: Asks for a URL through a proxy; returns the body.
Ask = Callable[[str, str], bytes]


def by_aiohttp(address: str, proxy: str, *own: str) -> bytes:
    async def once() -> bytes:
        web = Web("icf/test (+me)", AllowList(own), proxy=proxy)
        async with web, web.open(address, deadline=20.0) as response:
            return await response.read()

    return asyncio.run(once())


def by_requests(address: str, proxy: str, *own: str) -> bytes:
    allow = AllowList(own)
    guarded = GuardedSession("icf/test (+me)", allow, proxy=Proxy(proxy, allow))
    with closing(guarded):
        return guarded.ask(address, LIMITS).body


both = pytest.mark.parametrize("ask", [by_aiohttp, by_requests])


def at(site: Site) -> str:
    return f"http://{site.host}"


@both
def test_a_proxy_is_asked_for_names_that_nobody_here_looks_up(
    site: Site, ask: Ask
) -> None:
    site.route("http://wiki.example/a", redirect("http://cdn.example/b"))
    site.route("http://cdn.example/b", answer(b"through"))
    assert ask("http://wiki.example/a", at(site)) == b"through"
    assert site.asked == ["http://wiki.example/a", "http://cdn.example/b"]


@both
def test_a_login_is_sent_to_the_proxy(site: Site, ask: Ask) -> None:
    site.route("http://wiki.example/a", answer(b"through"))
    assert ask("http://wiki.example/a", f"http://ann:m%40n@{site.host}") == b"through"
    login = base64.b64encode(b"ann:m@n").decode()
    assert f"Proxy-Authorization: Basic {login}\r\n" in site.heads[-1]


@both
@pytest.mark.parametrize(
    "address",
    ["http://localhost/", "http://nas.local/", "http://metadata/", "http://10.0.0.1/"],
)
def test_a_proxy_is_not_asked_for_hosts_of_its_own_network(
    site: Site, ask: Ask, address: str
) -> None:
    with pytest.raises(Fault, match="allow_hosts") as caught:
        ask(address, at(site))
    assert caught.value.fate is FetchStatus.FORBIDDEN_ADDRESS
    assert site.asked == []


@pytest.mark.parametrize("ask", [by_aiohttp, by_requests])
def test_ones_own_hosts_are_asked_without_it(
    site: Site, ask: Callable[[str, str, str], bytes]
) -> None:
    own = site.route("/a", answer(b"straight"))
    assert ask(own, "http://127.0.0.1:9", site.host) == b"straight"


def tunnel(to: Site) -> Handler:
    """A handler that passes bytes on, as a proxy does behind CONNECT."""

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back, forth = await asyncio.open_connection("127.0.0.1", to.port)
        await asyncio.gather(_copy(reader, forth), _copy(back, writer))

    return join


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site with a certificate that is trusted here."""
    with serving_tls(tmp_path) as one:
        pem = str(tmp_path / "own.pem")
        monkeypatch.setenv("SSL_CERT_FILE", pem)
        trusting = ssl.create_default_context(cafile=pem)
        monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
        yield one


@both
def test_https_goes_through_a_tunnel(site: Site, secure: Site, ask: Ask) -> None:
    secure.route("/a", answer(b"in secret"))
    site.route("wiki.example:443", tunnel(secure))
    assert ask("https://wiki.example/a", at(site)) == b"in secret"
    assert site.asked == ["wiki.example:443"]
    assert secure.asked == ["/a"]


@both
@pytest.mark.parametrize(
    ("status", "again", "down"),
    [
        ("403 Forbidden", False, False),
        ("502 Bad Gateway", True, False),
        ("407 Proxy Authentication Required", True, True),
    ],
)
def test_a_tunnel_that_is_refused_says_what_the_proxy_said(
    site: Site, ask: Ask, status: str, again: bool, down: bool
) -> None:
    site.route("wiki.example:443", answer(b"no", status))
    with pytest.raises(Fault, match=status[:3]) as caught:
        ask("https://wiki.example/a", at(site))
    found = caught.value
    assert (found.again, found.proxy_down) == (again, down)
    assert found.fate is FetchStatus.UNREACHABLE


@both
def test_a_proxy_that_wants_a_login_is_at_fault_and_not_the_picture(
    site: Site, ask: Ask
) -> None:
    site.route("http://wiki.example/a", answer(b"", "407 Proxy Login"))
    with pytest.raises(Fault, match=f"the proxy {site.host} .* 407") as caught:
        ask("http://wiki.example/a", f"http://ann:moon@{site.host}")
    assert caught.value.proxy_down
    assert "moon" not in str(caught.value)


@both
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_at_fault_and_not_the_picture(
    ask: Ask, scheme: str
) -> None:
    with pytest.raises(Fault, match=r"the proxy 127\.0\.0\.1:9 ") as caught:
        ask(f"{scheme}://wiki.example/a", "http://127.0.0.1:9")
    assert caught.value.proxy_down


@both
def test_a_proxy_whose_name_nobody_knows_is_at_fault(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*about: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(
        Fault, match=r"the proxy proxy\.example:3128 .* not known"
    ) as caught:
        ask("http://wiki.example/a", "http://proxy.example:3128")
    assert caught.value.proxy_down


@both
def test_a_proxy_that_takes_no_connection_is_at_fault(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (session, requests_session):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with full_queue() as host, pytest.raises(Fault) as caught:
        ask("http://wiki.example/a", f"http://{host}")
    assert caught.value.proxy_down


@both
def test_a_host_that_is_silent_behind_the_proxy_is_at_fault_itself(
    site: Site, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_and_wait(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await reader.read()  # the client says hello
        await reader.read()

    for module in (session, requests_session):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.3)
    site.route("wiki.example:443", open_and_wait)
    with pytest.raises(Fault) as caught:
        ask("https://wiki.example/a", at(site))
    assert (caught.value.again, caught.value.proxy_down) == (True, False)


def workspace_behind(root: Path, proxy: str) -> None:
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\ncontact = "me@icf.example"\nproxy = "{proxy}"\nattempts = 1\n'
        'backoff = 0.01\n[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    rows = [f"Moon,Luna,http://wiki.example/{n}.png\n" for n in range(3)]
    (root / "urls.csv").write_text("album,character,url\n" + "".join(rows))


def test_a_harvest_goes_through_the_proxy_robots_txt_too(
    site: Site, tmp_path: Path
) -> None:
    for number in range(3):
        site.route(f"http://wiki.example/{number}.png", answer(png(number)))
    rules = b"User-agent: *\nDisallow: /1\n"
    site.route("http://wiki.example/robots.txt", answer(rules))
    workspace_behind(tmp_path / "ws", at(site))
    harvest(made := find(tmp_path / "ws"))
    assert fates(made.catalogue) == {
        "0.png": "stored",
        "1.png": "disallowed",
        "2.png": "stored",
    }


def test_pages_are_read_through_the_proxy(site: Site, tmp_path: Path) -> None:
    home = "http://toons.example"
    site.route(f"{home}/", html('<a class=album href="/m">M</a>'))
    site.route(f"{home}/m", html('<a class=character href="/c">C</a>'))
    site.route(f"{home}/c", html('<img class=picture src="/1.png">'))
    site.route(f"{home}/1.png", answer(png(1)))
    own: dict[str, Any] = {
        "allow_hosts": [],
        "contact": "me@icf.example",
        "proxy": at(site),
    }
    harvest(made := workspace(tmp_path / "ws", f"{home}/", **own))
    assert fates(made.catalogue) == {"1.png": "stored"}


def test_without_its_proxy_a_harvest_ends_and_blames_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_health, "PATIENCE", 0.0)
    workspace_behind(tmp_path / "ws", "http://127.0.0.1:9")
    made = find(tmp_path / "ws")
    with pytest.raises(BrokenMachine, match=r"the proxy 127\.0\.0\.1:9"):
        harvest(made)
    assert {row["fate"] for row in all_of(made.catalogue, url)} == {"pending"}


@pytest.mark.parametrize(
    "text",
    ["proxy.example:3128", "socks5://proxy:1080", "http://proxy", "http://a b:80"],
)
def test_a_proxy_that_is_none_is_refused_by_the_settings(text: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="http://HOST:PORT"):
        HarvestSettings(proxy=text)
