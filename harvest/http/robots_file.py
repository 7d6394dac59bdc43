"""Read the bytes of a robots.txt, as people save them (RFC 9309).

Protego applies the rules. Here is what comes before: the encodings of editors, an HTML
page instead of text, a version behind our name, a file that is too long; and the fields
``Content-Usage`` and ``Content-Signal``, which it does not know.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from dataclasses import dataclass

from protego import Protego

from icf.harvest.http.opt_out import PREFERENCES, about_training

#: What `RobotsRules.may_train` stands for, in messages.
AGAINST_TRAINING = "no training (robots.txt)"

#: Our name in robots.txt and in X-Robots-Tag.
ROBOT = "icf"

#: RFC 9309, section 2.5: at least 500 KiB are parsed.
MAX_BYTES = 512_000

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_LINE_TAG = re.compile(r"</?(?:address|br|div|h\d|li|ol|p|pre|table|tr|ul)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")
#: Changes nothing, and ends the names of a group.
_NO_RULE = "Disallow:"
_AGENT = re.compile(r"\s*user[- ]?agent\s*:(?P<names>[^#]*)", re.IGNORECASE)
_PREFERENCE = re.compile(
    rf"\s*(?P<field>{'|'.join(PREFERENCES)})\s*:\s*(?P<path>[/*]\S*)?(?P<said>[^#]*)",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(?:allow|disallow|crawl-delay)\s*:", re.IGNORECASE)
_OURS = re.compile(rf"(?:^|[\s,;]){ROBOT}(?:$|[\s,;/])", re.IGNORECASE)


@dataclass(frozen=True)
class RobotsRules:
    """What a robots.txt says to us.

    Args:
        fetching: what may be requested.
        training: what may be trained on, as if that were a request.
    """

    fetching: Protego
    training: Protego

    def may_fetch(self, url: str) -> bool:
        """Whether a URL may be requested."""
        return self.fetching.can_fetch(url, ROBOT)

    def may_train(self, url: str) -> bool:
        """Whether what a URL gives may be trained on; True where nothing is said."""
        return self.training.can_fetch(url, ROBOT)

    @property
    def crawl_delay(self) -> float:
        """Seconds between two requests; 0 where nothing is said."""
        return float(self.fetching.crawl_delay(ROBOT) or 0.0)


def read_robots(body: bytes) -> RobotsRules:
    r"""Return the rules of a robots.txt; bytes after the first `MAX_BYTES` are ignored.

    >>> rules = read_robots(codecs.BOM_UTF8 + b"User-agent: *\rDisallow: /private/")
    >>> rules.may_fetch("http://a.example/private/1.png")
    False
    >>> rules = read_robots(b"User-agent: *\nContent-Signal: ai-train=no\nAllow: /")
    >>> rules.may_fetch("http://a.example/1.png"), rules.may_train("http://a.example/")
    (True, False)
    """
    lines = _LINE_END.split(_as_utf8(_whole_lines(body)))
    text = "\n".join(_spellings(line) for line in lines)
    # Marks of order inside of a joined file, zero bytes, zero-width spaces.
    text = "".join(c for c in text if c in "\t\n" or not _is_invisible(c))
    if text.lstrip().startswith("<"):
        text = html.unescape(_TAG.sub("", _LINE_TAG.sub("\n", text)))
    rules = "\n".join(_naming_us(line) for line in text.splitlines())
    # What stands before the first group is said to everybody.
    training = "\n".join(["User-agent: *", _NO_RULE, *map(_as_rule, rules.split("\n"))])
    return RobotsRules(Protego.parse(rules), Protego.parse(training))


def _whole_lines(body: bytes) -> bytes:
    """Cut a long file after a line: half a path is another path."""
    begin = body[:MAX_BYTES]
    if len(begin) == len(body):
        return body
    return begin[: max(begin.rfind(b"\n"), begin.rfind(b"\r"), 0)]


def _as_utf8(body: bytes) -> bytes:
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, errors="replace").encode("utf-8")
    even, odd = body[:200:2].count(0), body[1:200:2].count(0)
    if max(even, odd) > len(body[:200]) // 4:  # UTF-16 of ASCII, without a mark
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        return body.decode(encoding, errors="replace").encode("utf-8")
    return body


def _spellings(line: bytes) -> str:
    """Return a line; one that is not ASCII twice, with its bytes in Latin-1 as well.

    A path that is not ASCII is in URLs by its UTF-8 or, on old sites, by its Latin-1.
    """
    if line.isascii():
        return line.decode("ascii")
    try:
        text = line.decode("utf-8")
        old = text.encode("cp1252", errors="replace")
    except UnicodeDecodeError:
        text, old = line.decode("cp1252", errors="replace"), line
    return f"{text}\n{_NOT_ASCII.sub(lambda m: b'%%%02X' % ord(m[0]), old).decode()}"


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf")


def _naming_us(line: str) -> str:
    """Return a line; ``User-agent: icf/1.0`` and ``other, icf`` name us too."""
    found = _AGENT.match(line)
    if found is None or not _OURS.search(found["names"].strip()):
        return line
    names = re.split(r"[\s,;]+", found["names"].strip())
    return "\n".join(f"User-agent: {name.partition('/')[0]}" for name in names)


def _as_rule(line: str) -> str:
    """Return a line as a rule of what may be trained on.

    ``Content-Usage: /art/ train-ai=n`` is ``Disallow: /art/``. Without a path it is
    said of everything. A rule of fetching says nothing of training; it still ends the
    names of a group.
    """
    found = _PREFERENCE.match(line)
    if found is None:
        return _NO_RULE if _RULE.match(line) else line
    said = about_training(found["said"])
    if said is None:
        return _NO_RULE
    if not said[1]:
        return f"Disallow: {found['path'] or '/'}"
    return f"Allow: {found['path']}" if found["path"] else _NO_RULE
