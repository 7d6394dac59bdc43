"""Read the bytes of a robots.txt, as people save them (RFC 9309).

Protego applies the rules. Here is what comes before: the encodings of editors, an HTML
page instead of text, a version behind our name, a file that is too long.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata

from protego import Protego

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
_AGENT = re.compile(r"\s*user[- ]?agent\s*:(?P<names>[^#]*)", re.IGNORECASE)
_OURS = re.compile(rf"(?:^|[\s,;]){ROBOT}(?:$|[\s,;/])", re.IGNORECASE)


def read_robots(body: bytes) -> Protego:
    r"""Return the rules of a robots.txt; bytes after the first `MAX_BYTES` are ignored.

    >>> rules = read_robots(codecs.BOM_UTF8 + b"User-agent: *\rDisallow: /private/")
    >>> rules.can_fetch("http://a.example/private/1.png", ROBOT)
    False
    """
    lines = _LINE_END.split(_as_utf8(_whole_lines(body)))
    text = "\n".join(_spellings(line) for line in lines)
    # Marks of order inside of a joined file, zero bytes, zero-width spaces.
    text = "".join(c for c in text if c in "\t\n" or not _is_invisible(c))
    if text.lstrip().startswith("<"):
        text = html.unescape(_TAG.sub("", _LINE_TAG.sub("\n", text)))
    return Protego.parse("\n".join(_naming_us(line) for line in text.splitlines()))


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
