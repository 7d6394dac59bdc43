"""Serve the demo site on this machine's loopback address, and nowhere else.

Its ``api.php`` gives the answers that a real MediaWiki gave (`recorded`); like a busy
wiki it is lagged at its start, and one picture is not served at the first request.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from icf.app.demo.site import archive, pages, recorded
from icf.errors import BrokenMachine

HOST = "127.0.0.1"
ROBOTS = "User-agent: *\nDisallow: /images/private/\n"
_MODIFIED = formatdate(archive.MADE, usegmt=True)
_JSON, _HTML = "application/json; charset=utf-8", "text/html; charset=utf-8"
_MOST_BODY = 1 << 20


class DemoSite:
    """The site, running in threads of this process.

    >>> with DemoSite() as site:
    ...     site.api_url.endswith("/w/api.php")
    True
    """

    def __init__(self, port: int = 0, tar: Path | None = None) -> None:
        """Prepare the site.

        Args:
            port: 0 takes any free one; a fixed one gives the same URLs after a restart.
            tar: the site's bytes; those that come with the program where not given.

        Raises:
            BadInput: the tar cannot be read.
            BrokenMachine: the port is taken.
        """
        self.archive = archive.SiteArchive(tar or archive.shipped_tar())
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            self.archive.close()
            raise BrokenMachine(
                f"The demo's site cannot listen on {HOST}:{port}: {error.strerror}. "
                "Stop what uses the port, or choose another one."
            ) from error
        self._server.open(self.archive, self.url)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that the site listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The site's address, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """The address of its ``api.php``."""
        return f"{self.url}/w/api.php"

    def start(self) -> None:
        """Begin to answer."""
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Answer in this thread until `stop` is called elsewhere."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.archive.close()

    def __enter__(self) -> DemoSite:
        """Start the site."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the site."""
        self.stop()


def serve(port: int = 0) -> None:
    """Serve in the foreground until interrupted; says where on stderr."""
    site = DemoSite(port)
    print(f"{site.url}/wiki/Main_Page\n{site.api_url}", file=sys.stderr, flush=True)
    try:
        site.run()
    except KeyboardInterrupt:
        pass
    finally:
        site.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def open(self, site: archive.SiteArchive, base: str) -> None:
        self.site, self.base = site, base
        self.answers = recorded.read_answers(recorded.shipped_answers())
        self.files = {"/" + file.path: file for file in site.wiki.files if file.stored}
        self._refused: set[str] = set()
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up; they do so on purpose."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def refuses_once(self, name: str) -> bool:
        """Return whether this is the first request for something that is busy."""
        with self._lock:
            first = name not in self._refused
            self._refused.add(name)
        return first


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "DemoSite"
    server: _Server
    # One packet for head and body: without this, each answer waits for an ACK.
    wbufsize = -1

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        path = unquote(split.path)
        if path == "/w/api.php":
            self._api(split.query)
        elif path.startswith("/images/"):
            self._image(path)
        elif path.startswith("/wiki/"):
            self._page(path.removeprefix("/wiki/"))
        elif path == "/robots.txt":
            self._send(HTTPStatus.OK, ROBOTS.encode(), "text/plain; charset=utf-8")
        elif path == "/":
            self._send(HTTPStatus.FOUND, b"", _HTML, Location="/wiki/Main_Page")
        else:
            self._missing()

    do_HEAD = do_GET

    def do_POST(self) -> None:
        split = urlsplit(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_BODY:
            self.close_connection = True
            status = HTTPStatus.LENGTH_REQUIRED
            self._send(status, b"Content-Length is needed\n", _HTML)
            return
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        if unquote(split.path) == "/w/api.php":
            self._api("&".join(part for part in (split.query, body) if part))
        else:
            self._missing()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: stderr belongs to the demo."""

    def _api(self, query: str) -> None:
        key, parameters = recorded.key_of(query)
        lag = parameters.get("maxlag", "")
        if lag.isdigit() and self.server.refuses_once("api.php"):
            # A real wiki asks for five seconds; one is enough for a demo.
            info = f"Waiting for a database server: {int(lag) + 1} seconds lagged."
            self._api_error("maxlag", info, **{"Retry-After": "1"})
        elif key in self.server.answers:
            text = self.server.answers[key].replace(recorded.BASE, self.server.base)
            self._send(HTTPStatus.OK, text.encode(), _JSON)
        else:
            info = f"The demo's site has no recorded answer to the request {key}"
            self._api_error("notrecorded", info)

    def _api_error(self, code: str, info: str, **headers: str) -> None:
        """Refuse a call as MediaWiki does: an error object, on HTTP 200."""
        see = f"See {self.server.base}/w/api.php for API usage."
        error = {"code": code, "info": info, "docref": see}
        text = json.dumps({"error": error}).encode()
        headers["MediaWiki-API-Error"] = code
        self._send(HTTPStatus.OK, text, _JSON, **headers)

    def _image(self, path: str) -> None:
        file = self.server.files.get(path)
        if file is None or not file.known:
            self._missing()
            return
        if file.busy and self.server.refuses_once(file.name):
            text, wait = b"busy, try again\n", {"Retry-After": "1"}
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, text, "text/plain", **wait)
            return
        etag = f'"{file.sha1}"'
        headers = {"ETag": etag, "Last-Modified": _MODIFIED}
        if file.opted_out:
            headers["X-Robots-Tag"] = "noai"
        if self._unchanged(etag):
            self._send(HTTPStatus.NOT_MODIFIED, b"", file.mime, **headers)
            return
        data = self.server.site.read(file.path)
        self._send(HTTPStatus.OK, data, file.mime, **headers)

    def _unchanged(self, etag: str) -> bool:
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return etag in tags or "*" in tags
        return self.headers.get("If-Modified-Since") == _MODIFIED

    def _page(self, name: str) -> None:
        text = pages.html(self.server.site.wiki, name.replace("_", " "))
        if text is None:
            self._missing()
            return
        self._send(HTTPStatus.OK, text.encode(), _HTML)

    def _missing(self) -> None:
        text = f"There is nothing at {quote(self.path)}\n".encode()
        self._send(HTTPStatus.NOT_FOUND, text, "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, body: bytes, kind: str, **more: str) -> None:
        self.send_response(status)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status is not HTTPStatus.NOT_MODIFIED:
            self.wfile.write(body)
