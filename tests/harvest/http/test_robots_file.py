"""robots.txt as people and their editors save it."""

import codecs

import pytest

from icf.harvest.http.robots_file import MAX_BYTES, read_robots

RULES = "User-agent: *\r\nDisallow: /private/\r\n"
PRIVATE, OPEN = "http://a.example/private/1.png", "http://a.example/1.png"


def allows(body: bytes, url: str = PRIVATE) -> bool:
    return read_robots(body).may_fetch(url)


@pytest.mark.parametrize(
    "body",
    [
        RULES.encode(),
        RULES.encode("utf-8-sig"),
        2 * codecs.BOM_UTF8 + RULES.encode(),
        codecs.BOM_UTF16_LE + RULES.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + RULES.encode("utf-16-be"),
        RULES.encode("utf-16-le"),
        RULES.encode("utf-16-be"),
        RULES.encode("utf-32"),
        RULES.replace("\r\n", "\r").encode(),
        RULES.replace("\r\n", "\n\n").encode(),
        RULES.encode().rstrip(),
        b"\0" + RULES.encode().replace(b"D", b"\0D"),
        b"# a list\r\n" + codecs.BOM_UTF8 + RULES.encode(),
        "\u200bUser-agent: *\n\u00a0Disallow:\u00a0/private/".encode(),
        b"USER-AGENT:*#all\nDISALLOW:/private/#secret",
        b"useragent : *\n\tdisallow : /private/",
        b"User-agent: *\nDisalow: /private/",
        b"<!DOCTYPE html><body><pre>" + RULES.encode() + b"</pre></body>",
        b"<p>User-agent: *<br>Disallow: <b>/private/</b></p>",
    ],
)
def test_rules_are_read_whatever_saved_them(body: bytes) -> None:
    assert not allows(body)
    assert allows(body, OPEN)


@pytest.mark.parametrize(
    "group",
    [
        "User-agent: ICF",
        "User-agent: icf/1.0 (+https://icf.example)",
        "User-agent: otherbot, icf",
        "User-agent: otherbot\nUser-agent: icf",
        "User-agent: icf\nAllow: /1.png\n\nUser-agent: otherbot\n\nUser-agent: icf",
    ],
)
def test_a_group_that_names_us_is_ours(group: str) -> None:
    body = f"User-agent: *\nAllow: /\n\n{group}\nDisallow: /private/\n"
    assert not allows(body.encode())
    assert allows(body.encode(), OPEN)


def test_a_group_of_another_robot_with_our_letters_is_not_ours() -> None:
    assert allows(b"User-agent: icfbot\nUser-agent: my-icf\nDisallow: /")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("path", ["/ni%C3%B1o/1.png", "/ni%F1o/1.png"])
def test_a_path_outside_of_ascii_holds_for_both_spellings(
    encoding: str, path: str
) -> None:
    body = "User-agent: *\nDisallow: /niño/".encode(encoding)
    assert not allows(body, f"http://a.example{path}")
    assert allows(body, "http://a.example/ni/1.png")


def test_a_file_over_the_cap_ends_at_its_last_whole_line() -> None:
    begin = b"User-agent: *\nDisallow: /private/\n"
    last = b"Disallow: /1.png.orig\n"
    # The cap is in the middle of the last line, after "/1.png".
    filler = b"#" * (MAX_BYTES - len(begin) - len(b"\nDisallow: /1.png")) + b"\n"
    body = begin + filler + last + b"Disallow: /\n"
    assert body[:MAX_BYTES].endswith(b"/1.png")
    assert not allows(body)
    assert allows(body, OPEN)


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"\xff\xfe", b"<html>Not found: /private/</html>", b"\x89PNG"]
)
def test_a_file_without_rules_allows_everything(body: bytes) -> None:
    assert allows(body)


@pytest.mark.parametrize(
    "rules",
    [
        "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /",
        "User-Agent: *\nDisallow: /x/\nContent-Usage: train-ai=n # for now",
        "USER-AGENT: ICF\nCONTENT-SIGNAL: AI-TRAIN=NO",
        "Content-Signal: ai-train=no\nUser-agent: otherbot\nDisallow: /",
        "User-agent: *\nContent-Usage: /private/ train-ai=n",
        "User-agent: *\nContent-Usage: /*.png train-ai=n\nContent-Usage: / train-ai=y",
        "User-agent: otherbot\nUser-agent: icf\nContent-Usage: bots=n",
    ],
)
def test_it_can_keep_pictures_from_training_and_still_allow_to_fetch_them(
    rules: str,
) -> None:
    read = read_robots(rules.encode())
    assert read.may_fetch(PRIVATE)
    assert not read.may_train(PRIVATE)


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "Disallow: /",
        "User-agent: *\nDisallow: /",
        "User-agent: *\nContent-Signal: search=no, ai-train=yes",
        "User-agent: *\nContent-Usage: /drafts/ train-ai=n",
        "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /private/ train-ai=y",
        "User-agent: *\nContent-Usage: train-ai=n\n\nUser-agent: icf\nAllow: /",
        "User-agent: *\nAllow: /\nUser-agent: otherbot\nContent-Signal: ai-train=no",
        "# Content-Signal: ai-train=no",
    ],
)
def test_what_is_said_of_other_things_keeps_nothing_from_training(rules: str) -> None:
    assert read_robots(rules.encode()).may_train(PRIVATE)
