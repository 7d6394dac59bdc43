"""A real Label Studio on loopback, and people who work with it through its API."""

from __future__ import annotations

import http.cookiejar
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.tethered import tethered

#: Names the program `label-studio`; the tests against it run where it is set.
PROGRAM = os.environ.get("ICF_TEST_LABEL_STUDIO")

PASSWORD = "correct horse battery staple"


@dataclass
class User:
    """Somebody who is logged in.

    Attributes:
        url: of the server.
        email: what the server knows the person by.
    """

    url: str
    email: str
    _jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def log_in(self) -> None:
        """Begin a session, as the page of the server does."""
        self._enter("/user/login/")

    def sign_up(self) -> None:
        """Make an account of the first organization, and begin a session."""
        self._enter("/user/signup/")

    def call(self, method: str, path: str, data: object = None) -> Any:
        """Call the API; return what it says."""
        return json.loads(self.fetch(method, path, data) or b"null")

    def fetch(self, method: str, path: str, data: object = None) -> bytes:
        """Call the API; return the bytes."""
        body = None if data is None else json.dumps(data).encode()
        return self._send(method, path, body, "application/json")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of the session."""
        return {each.name: each.value or "" for each in self._jar}

    def _enter(self, path: str) -> None:
        self._send("GET", path, None, "text/html")
        form = {
            "csrfmiddlewaretoken": self.cookies["csrftoken"],
            "email": self.email,
            "password": PASSWORD,
        }
        data = urllib.parse.urlencode(form).encode()
        self._send("POST", path, data, "application/x-www-form-urlencoded")
        assert "sessionid" in self.cookies, f"{self.email} was not let in"

    def _send(self, method: str, path: str, body: bytes | None, kind: str) -> bytes:
        headers = {
            "Content-Type": kind,
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
            "Referer": self.url,
        }
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._jar),
            urllib.request.ProxyHandler({}),
        )
        try:
            with opener.open(request) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            said = error.read()[:500]
            raise AssertionError(f"{method} {path}: {error.code} {said!r}") from error


@contextmanager
def label_studio(folder: Path, files: Path) -> Iterator[User]:
    """Start a server with an empty database; yield its first user.

    Args:
        folder: gets the database.
        files: the server's document root for local files.
    """
    assert PROGRAM is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    first = User(url, "first@example.org")
    words = [PROGRAM, "start", "--no-browser", "--data-dir", folder, "--port", port]
    words += ["--internal-host", "127.0.0.1", "--log-level", "WARNING"]
    words += ["--username", first.email, "--password", PASSWORD]
    with (
        (folder / "log").open("wb") as log,
        tethered(words, env=_environment(folder, files), log=log) as process,
    ):
        while not _answers(url):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        first.log_in()
        yield first


def _environment(folder: Path, files: Path) -> Mapping[str, str]:
    """Nothing is sent to anybody, and nothing is kept outside the folder."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(files),
    }


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False
