from __future__ import annotations

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
