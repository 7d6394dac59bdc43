from __future__ import annotations

import re

import pytest

from icf.annotate.page.static import static_files, static_url
from tests.annotate.page.clients import app_of, stranger
from tests.annotate.place import Place


def test_a_browser_keeps_a_file_in_its_version_for_good(plain: Place) -> None:
    found = stranger(app_of(plain.workspace)).get(static_url("page.css"))
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.headers["Content-Type"] == "text/css; charset=utf-8"
    assert found.content == static_files()["page.css"].data


def test_a_script_that_another_imports_is_asked_for_and_not_sent_again(
    plain: Place,
) -> None:
    client = stranger(app_of(plain.workspace))
    first = client.get("/static/page.js")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(
        "/static/page.js", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/static/page.js", headers={"If-None-Match": '"other"'})
    assert other.content == first.content


@pytest.mark.parametrize(
    "name",
    [
        "../templates/base.html",
        "..%2ftemplates%2fbase.html",
        "%2e%2e/%2e%2e/people/tokens.py",
        "..%5ctokens.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "page.css%00.js",
        ".",
        "",
    ],
)
def test_nothing_else_of_the_disk_is_sent(plain: Place, name: str) -> None:
    found = stranger(app_of(plain.workspace)).get(f"/static/{name}")
    assert found.status_code in (401, 404)
    assert "extends" not in found.text
    assert "root:" not in found.text


def test_every_file_is_of_a_kind_that_browsers_are_told() -> None:
    assert {"page.css", "page.js", "icon.svg"} <= static_files().keys()


#: What Firefox 121, Chromium 111 or Safari 16.2 does not know: docs/annotate/page.md.
_TOO_NEW = {
    ".css": r"^\s*&|@scope|@starting-style|light-dark\(|field-sizing|anchor-name",
    ".js": (
        r"\bgroupBy\(|withResolvers|Promise\.try|fromAsync|\(\?<[=!]|checkVisibility"
        r"|requestIdleCallback|scrollend|canParse|AbortSignal\.any|Offscreen|popover"
    ),
}


def test_no_file_needs_a_newer_browser_than_is_promised() -> None:
    for name, file in static_files().items():
        kind = name[name.rfind(".") :]
        if kind in _TOO_NEW:
            text = file.data.decode()
            assert re.findall(_TOO_NEW[kind], text, re.MULTILINE) == [], name
            # Safari knows this one by its own name alone.
            unprefixed = re.findall(r"(?<!-webkit-)user-select", text)
            assert len(unprefixed) == text.count("-webkit-user-select"), name


def test_nothing_lies_under_the_notch_of_a_phone(plain: Place) -> None:
    # With `viewport-fit=cover` each page would have to leave that place free itself.
    assert "viewport-fit" not in stranger(app_of(plain.workspace)).get("/").text
