from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from icf.errors import BadInput, BrokenMachine, WrongUse
from icf.models.outside.download import download, file_name

BODY = bytes(range(256)) * 5000


class _Handler(BaseHTTPRequestHandler):
    places: ClassVar[dict[str, str]] = {
        "/away": "http://192.168.0.1/router",
        "/cloud": "http://169.254.169.254/latest",
        "/local": "/model.onnx",
    }

    def do_GET(self) -> None:
        if self.path in self.places:
            self.send_response(302)
            self.send_header("Location", self.places[self.path])
            self.end_headers()
            return
        if self.path != "/model.onnx" and self.path != "/short.onnx":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY if self.path == "/model.onnx" else BODY[:-1])

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def quiet(size: int | None) -> Callable[[int], None]:
    return lambda more: None


def test_a_file_is_stored_as_it_came_and_counted(tmp_path: Path, site: str) -> None:
    sizes: list[int | None] = []
    counted: list[int] = []

    def begin(size: int | None) -> Callable[[int], None]:
        sizes.append(size)
        return counted.append

    found = download(f"{site}/model.onnx", tmp_path, begin)
    assert found.path.read_bytes() == BODY
    assert found.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (sizes, sum(counted)) == ([len(BODY)], len(BODY))


def test_more_than_is_allowed_is_refused(tmp_path: Path, site: str) -> None:
    with pytest.raises(BadInput, match="has 1280000 bytes or more; a model may have 9"):
        download(f"{site}/model.onnx", tmp_path, quiet, max_bytes=9)


def test_a_connection_that_breaks_off_is_no_file(tmp_path: Path, site: str) -> None:
    with pytest.raises(BrokenMachine, match=r"short\.onnx"):
        download(f"{site}/short.onnx", tmp_path, quiet)


def test_a_server_that_has_no_such_file_is_quoted(tmp_path: Path, site: str) -> None:
    with pytest.raises(BadInput, match="the server says 404"):
        download(f"{site}/none", tmp_path, quiet)


@pytest.mark.parametrize("path", ["away", "cloud", "local"])
def test_redirects_lead_to_https_alone(tmp_path: Path, site: str, path: str) -> None:
    with pytest.raises(WrongUse, match="redirects to an address that is not https"):
        download(f"{site}/{path}", tmp_path, quiet)


@pytest.mark.parametrize(
    "url", ["http://example.org/a.onnx", "ftp://127.0.0.1/a", "file:///etc/passwd"]
)
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(WrongUse, match=r"has to be https|names no host"):
        download(url, tmp_path, quiet)


def test_the_name_of_a_file_never_leaves_the_folder() -> None:
    assert file_name("https://example.org/a/..%2f..%2fb.onnx") == "b.onnx"
    assert file_name("https://example.org/a/%2e%2e") == "model"
    assert file_name("https://example.org") == "model"
