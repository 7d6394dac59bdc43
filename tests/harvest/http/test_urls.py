from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.urls import MAX_LENGTH, host_of, normalise


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("http://a.org", "http://a.org/"),
        (" http://a.org/x y.png\n", "http://a.org/x%20y.png"),
        ("http://a.org/100%.png", "http://a.org/100%25.png"),
        ("http://a.org/%zz%2fb%2F", "http://a.org/%25zz%2fb%2F"),
        ("http://a.org/é/東.png?q=ü", "http://a.org/%C3%A9/%E6%9D%B1.png?q=%C3%BC"),
        ("http://BÜCHER.de/", "http://xn--bcher-kva.de/"),
        ("HTTP://A.org:80/x", "http://a.org/x"),
        ("https://a.org:443/x", "https://a.org/x"),
        ("https://a.org:8443/x", "https://a.org:8443/x"),
        ("http://me:secret@a.org/x#part", "http://a.org/x"),
        ("http://a.org\\b\\c.png", "http://a.org/b/c.png"),
        ("http://a.org./x", "http://a.org/x"),
        ("http:///a.org/x", "http://a.org/x"),
        ("https:a.org/x", "https://a.org/x"),
        ("http://127.1/x", "http://127.0.0.1/x"),
        ("http://0x7f000001/x", "http://127.0.0.1/x"),
        ("http://2130706433/x", "http://127.0.0.1/x"),
        ("http://\uff11\uff12\uff17.1/x", "http://127.0.0.1/x"),
        ("http://²/x", "http://0.0.0.2/x"),
        ("http://ä.org。/x", "http://xn--4ca.org/x"),
        ("http://[0:0::1]:8080/x", "http://[::1]:8080/x"),
        ("http://a.org/x/../ok?9", "http://a.org/ok?9"),
        ("http://a.org/x/./%2E%2e/ok", "http://a.org/ok"),
        ("http://a.org/x/.%2e/%2e./../../ok/.", "http://a.org/ok/"),
        ("http://a.org/x/y/..?q=/../z", "http://a.org/x/?q=/../z"),
        ("http://a.org\\x\\..\\ok", "http://a.org/ok"),
        ("http://a.org/%2ehidden/..b", None),
        ("http://a.org/x?signature=a%2Bb%3D&k=%7E", None),
        ("http://a.org/It's_(new)!.png", None),
    ],
)
def test_a_url_is_asked_for_as_it_was_meant(written: str, asked: str | None) -> None:
    assert normalise(written).url == (asked or written)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("http:y", "http://a.org/d/y"),
        ("http:/y", "http://a.org/y"),
        ("http:////b.org/y", "http://b.org/y"),
        ("https:/b.org/y", "https://b.org/y"),
    ],
)
def test_slashes_after_the_scheme_are_read_as_browsers_do(
    written: str, asked: str
) -> None:
    assert normalise(written, base="http://a.org/d/x").url == asked


def test_the_original_is_kept_only_where_it_differs() -> None:
    assert normalise("http://a.org/x").original is None
    assert normalise("http://a.org/a b").original == "http://a.org/a b"


@pytest.mark.parametrize(
    "written",
    [
        "file:///etc/passwd",
        "ftp://a.org/x",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "a/relative/path.png",
    ],
)
def test_only_http_and_https_are_fetched(written: str) -> None:
    with pytest.raises(Fault) as caught:
        normalise(written)
    assert caught.value.fate is FetchStatus.BAD_SCHEME


@pytest.mark.parametrize(
    "written",
    [
        "http://",
        "http:///",
        "http://a.org:99999/x",
        "http://a.org:x/",
        "http://[::1/x",
        "http://[nonsense]/x",
        "http://1.2.3.400/x",
        "http://a b.org/x",
        "http://" + "a" * 64 + ".org/",
        "http://a.org/" + "x" * MAX_LENGTH,
        "http://a.org/\ud800",
    ],
)
def test_what_cannot_be_read_as_a_url_says_so(written: str) -> None:
    with pytest.raises(Fault) as caught:
        normalise(written)
    assert caught.value.fate is FetchStatus.BAD_URL


def test_a_relative_url_is_read_against_its_page() -> None:
    assert normalise("../b.png", "http://a.org/x/y/").url == "http://a.org/x/b.png"
    assert normalise("//c.org/b", "https://a.org/x").url == "https://c.org/b"


def test_a_host_carries_its_port_only_where_it_matters() -> None:
    assert host_of("http://a.org/x") == "a.org"
    assert host_of("http://a.org:81/x") == "a.org:81"


@given(st.text())
def test_any_text_is_a_fault_or_a_url_that_means_itself(text: str) -> None:
    for written in (text, "http://a.org/" + text, "http://" + text):
        with suppress(Fault):
            url = normalise(written).url
            assert url.isascii()
            assert normalise(url).url == url
