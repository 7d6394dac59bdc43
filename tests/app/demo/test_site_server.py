from __future__ import annotations

import hashlib
import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from icf.app.demo.site import DemoSite, Noise, Truth, load_truth
from icf.errors import BrokenMachine


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


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


def path_of(client: Client, truth: Truth, kind: Noise) -> str:
    name = next(file.name for file in truth.files if file.noise is kind)
    return "/" + quote(client.site.archive.wiki.file[name].path)


def test_a_known_picture_is_not_sent_again(client: Client, truth: Truth) -> None:
    path = path_of(client, truth, Noise.CLEAN)
    first = client.ask(path)
    assert first.status == 200
    assert int(first.headers["Content-Length"]) == len(first.body)
    for headers in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f'"other", W/{first.headers["ETag"]}'},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = client.ask(path, headers)
        assert (again.status, again.body) == (304, b"")
    assert client.ask(path, {"If-None-Match": '"other"'}).status == 200


def test_a_head_request_gets_the_head_alone(client: Client, truth: Truth) -> None:
    path = path_of(client, truth, Noise.CLEAN)
    connection = http.client.HTTPConnection("127.0.0.1", client.site.port)
    connection.request("HEAD", path)
    head = connection.getresponse()
    head.read()
    # On the same connection: a body after the head would be read as this answer.
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    assert int(head.headers["Content-Length"]) == len(body) > 1000


def test_a_dead_picture_is_listed_but_not_found(client: Client, truth: Truth) -> None:
    assert client.ask(path_of(client, truth, Noise.DEAD)).status == 404


@pytest.mark.parametrize("path", ["/", "/images/", "/etc/passwd", "/images/../x"])
def test_other_paths_are_not_found(client: Client, path: str) -> None:
    assert client.ask(path).status == (302 if path == "/" else 404)


def test_robots_may_not_have_the_private_folder(client: Client, truth: Truth) -> None:
    rules = client.ask("/robots.txt").body.decode().splitlines()
    closed = rules[1].removeprefix("Disallow: ")
    wiki = client.site.archive.wiki
    private = {file.name for file in wiki.files if f"/{file.path}".startswith(closed)}
    assert private == {f.name for f in truth.files if f.noise is Noise.DISALLOWED}


def test_one_picture_asks_not_to_be_used(client: Client, truth: Truth) -> None:
    answer = client.ask(path_of(client, truth, Noise.OPTED_OUT))
    assert answer.headers["X-Robots-Tag"] == "noai"


def test_a_busy_picture_comes_at_the_second_try(fresh: Client, truth: Truth) -> None:
    path = path_of(fresh, truth, Noise.SLOW)
    busy, then = fresh.ask(path), fresh.ask(path)
    assert (busy.status, busy.headers["Retry-After"]) == (503, "1")
    assert then.status == 200


def test_broken_pictures_are_broken_in_four_ways(client: Client, truth: Truth) -> None:
    wiki = client.site.archive.wiki
    found: dict[str, bytes] = {}
    for file in truth.files:
        if file.noise is Noise.BROKEN:
            found[file.detail] = client.ask("/" + quote(wiki.file[file.name].path)).body
    assert set(found) == {"truncated", "corrupt", "not_image", "empty"}
    assert found["empty"] == b""
    assert found["not_image"].startswith(b"<!DOCTYPE html>")
    assert found["truncated"].startswith(b"\xff\xd8")
    assert not found["truncated"].endswith(b"\xff\xd9")
    assert found["corrupt"].endswith(b"\xff\xd9")


def test_many_clients_at_once_get_the_right_bytes(client: Client, truth: Truth) -> None:
    wiki = client.site.archive.wiki
    clean = [f for f in truth.files if f.noise is Noise.CLEAN][:60]
    with ThreadPoolExecutor(16) as pool:
        paths = ["/" + quote(wiki.file[f.name].path) for f in clean]
        bodies = [answer.body for answer in pool.map(client.ask, paths)]
    found = [hashlib.sha256(body).hexdigest() for body in bodies]
    assert found == [file.sha256 for file in clean]


def test_a_restarted_site_serves_the_same_addresses() -> None:
    with DemoSite() as first:
        port, url = first.port, first.api_url
        # The site hangs up first, which keeps its port waiting for a minute.
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /robots.txt HTTP/1.0\r\n\r\n")
            while connection.recv(4096):
                pass
    with DemoSite(port) as second:
        assert second.api_url == url
        assert Client(second).ask("/robots.txt").status == 200


def test_a_taken_port_is_an_error_that_says_what_to_do(client: Client) -> None:
    with pytest.raises(BrokenMachine, match="choose another one"):
        DemoSite(client.site.port)


def test_people_can_look_at_a_page(client: Client, truth: Truth) -> None:
    page = client.ask("/wiki/" + quote(truth.characters[0].name.replace(" ", "_")))
    assert page.status == 200
    assert page.body.count(b"<img ") > 10
