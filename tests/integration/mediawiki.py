"""A real MediaWiki on loopback, from Debian's packages, filled with a cartoon wiki."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.integration.tethered import tethered
from tests.integration.wiki_pages import WikiPages, draw
from tests.integration.wiki_places import draw_places

PROGRAM = Path("/usr/share/mediawiki")
PHP = shutil.which("php") or "php"
EXTRA = Path(__file__).with_name("LocalSettings.extra.php")

T = TypeVar("T")


@dataclass(frozen=True)
class MediaWiki:
    """A running wiki.

    Attributes:
        host: as in ``127.0.0.1:8931``.
        pages: what was put into it.
        root: its folder.
    """

    host: str
    pages: WikiPages
    root: Path

    @property
    def api(self) -> str:
        """The URL of ``api.php``."""
        return f"http://{self.host}/w/api.php"

    @contextmanager
    def lagging(self, seconds: int) -> Iterator[None]:
        """Have the wiki report so much replication lag."""
        (self.root / "lag").write_text(str(seconds))
        try:
            yield
        finally:
            (self.root / "lag").unlink()

    @property
    def requests(self) -> list[str]:
        """The request lines served so far."""
        log = _read(self.root / "log" / "server.log")
        return [line for line in log.splitlines() if " [200]: " in line]


@contextmanager
def mediawiki() -> Iterator[MediaWiki]:
    """Install, fill and serve a wiki in a new folder; stop and remove it afterwards."""
    with filled_wiki(_draw) as (host, pages, root):
        yield MediaWiki(host, pages, root)


def _draw(pictures: Path, texts: Path) -> WikiPages:
    pages = draw(pictures, texts)
    draw_places(pictures, texts)
    return pages


@contextmanager
def filled_wiki(
    draw: Callable[[Path, Path], T], settings: str = ""
) -> Iterator[tuple[str, T, Path]]:
    """Install, fill and serve a wiki in a new folder; stop and remove it afterwards.

    Args:
        draw: writes the pictures and pages for MediaWiki's import scripts, as
            `wiki_pages.draw` does.
        settings: more lines of LocalSettings.php.

    Yields:
        The wiki's host and port, what ``draw`` returned, and the wiki's folder.
    """
    if not (PROGRAM / "api.php").exists():
        raise RuntimeError(
            "MediaWiki is not installed; run `sh tests/integration/install_servers.sh`"
        )
    root = Path(tempfile.mkdtemp(prefix="icf-mediawiki-"))
    for folder in ("db", "docroot/images", "cache", "import", "text", "log"):
        (root / folder).mkdir(parents=True)
    try:
        # First, because what is installed knows its own address.
        with serving(root) as host:
            _install(root, host, settings)
            drawn = draw(root / "import", root / "text")
            _import(root)
            _await(f"http://{host}/w/api.php?action=query&meta=siteinfo&format=json")
            yield host, drawn, root
    finally:
        shutil.rmtree(root)


@contextmanager
def throttled(wiki: MediaWiki) -> Iterator[tuple[str, Path]]:
    """Put nginx before a wiki: more than two requests a second get 429.

    Yields:
        The URL of ``api.php``, and the log of what was refused.
    """
    with (
        tempfile.TemporaryDirectory(prefix="icf-nginx-") as folder,
        socket.create_server(("127.0.0.1", 0)) as taken,
    ):
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        (Path(folder) / "nginx.conf").write_text(
            _THROTTLE.format(folder=folder, host=host, wiki=wiki.host)
        )
        words = ["/usr/sbin/nginx", "-p", folder, "-c", "nginx.conf", "-e", "error.log"]
        # By this variable nginx takes over a socket that listens already.
        environment = {**os.environ, "NGINX": f"{taken.fileno()};"}
        with tethered(words, env=environment, inherit=(taken.fileno(),)):
            _await(f"http://{host}/w/api.php?action=query&meta=siteinfo&format=json")
            yield f"http://{host}/w/api.php", Path(folder) / "refused.log"


_THROTTLE = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    map $status $refused {{ 429 1; default 0; }}
    access_log {folder}/refused.log combined if=$refused;
    client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    limit_req_zone $binary_remote_addr zone=api:1m rate=2r/s;
    limit_req_status 429;
    server {{
        listen {host};
        error_page 429 @slower;
        location / {{
            limit_req zone=api;
            proxy_pass http://{wiki};
        }}
        location @slower {{
            add_header Retry-After 1 always;
            return 429 "slower, please";
        }}
    }}
}}
"""


def _install(root: Path, host: str, more: str) -> None:
    (root / "docroot" / "w").symlink_to(PROGRAM)
    options = {
        "confpath": root,
        "dbtype": "sqlite",
        "dbpath": root / "db",
        "dbname": "wiki",
        "server": f"http://{host}",
        "scriptpath": "/w",
        "lang": "en",
        "pass": "harvest-test-pw-1",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    script = PROGRAM / "maintenance" / "install.php"
    _php(root, script, *words, "Toon Wiki", "Admin")
    settings = root / "LocalSettings.php"
    extra = EXTRA.read_text().replace("@ROOT@", str(root))
    settings.write_text(settings.read_text() + extra + more)


def _import(root: Path) -> None:
    images = ("--user", "Admin", "--comment-ext=txt", "--extensions=jpg,png,gif,webp")
    _maintain(root, "importImages.php", *images, root / "import")
    texts = sorted((root / "text").iterdir())
    _maintain(root, "importTextFiles.php", "-u", "Admin", "-s", "import", *texts)
    _maintain(root, "runJobs.php")


def _maintain(root: Path, script: str, *words: object) -> None:
    settings = root / "LocalSettings.php"
    _php(root, PROGRAM / "maintenance" / script, "--conf", settings, *words)


def _php(root: Path, script: Path, *words: object) -> None:
    command = [PHP, str(script), *map(str, words)]
    with (root / "log" / f"{script.stem}.log").open("ab") as log:
        done = subprocess.run(
            command, stdout=log, stderr=log, cwd=root / "text", check=False
        )
    if done.returncode:
        raise RuntimeError(f"{script.name} failed:\n{Path(log.name).read_text()}")


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve the folder ``docroot``; yield host and port, which the system chose."""
    environment = {
        **os.environ,
        "MW_CONFIG_FILE": str(root / "LocalSettings.php"),
        "PHP_CLI_SERVER_WORKERS": "2",
    }
    docroot, told = root / "docroot", root / "log" / "server.log"
    words = [PHP, "-d", "memory_limit=256M", "-S", "127.0.0.1:0", "-t", docroot]
    with (
        told.open("wb") as log,
        tethered(words, cwd=docroot, env=environment, log=log) as server,
    ):
        while not (found := re.search(r"Server \(http://(\S+)\) started", _read(told))):
            if server.poll() is not None:
                raise RuntimeError(f"PHP's server did not start:\n{_read(told)}")
            time.sleep(0.02)
        yield found[1]


def _read(log: Path) -> str:
    return log.read_text(errors="replace")


def _await(url: str, attempts: int = 150) -> None:
    for _ in range(attempts):
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer")
