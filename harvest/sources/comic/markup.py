"""XML in comics, as packers and people write it."""

from __future__ import annotations

import html.entities
import re
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]+)")
#: An "&" that begins no entity of XML, with the name of HTML's entity, if it is one.
_ODD_AMPERSAND = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#[xX][\da-fA-F]+);)(\w+;)?"
)


def parse_xml(data: bytes | None) -> ET.Element | None:
    """Return the root of a document, or None where it cannot be read.

    A bare "&" and entities of HTML are accepted. Documents that define entities are
    not read: entities can make a few bytes endless.
    """
    if data is None:
        return None
    text = decoded_text(data)
    if "<!ENTITY" in text:
        return None
    for attempt in (text, _ODD_AMPERSAND.sub(_escaped, text)):
        try:
            return ET.fromstring(attempt)
        except (ET.ParseError, ValueError):
            continue
    return None


def decoded_text(data: bytes) -> str:
    """Decode a document by its byte order mark, by what it declares, or as UTF-8.

    >>> decoded_text("é".encode("utf-16"))
    'é'
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace").removeprefix("\ufeff")
    declared = _DECLARED.search(data[:300])
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return data.decode("utf-8", errors="replace")


_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


def local_name(tag: str) -> str:
    """Return a tag without its namespace, in lower case.

    >>> local_name("{http://purl.org/dc/elements/1.1/}Rights")
    'rights'
    """
    return tag.rpartition("}")[2].lower()


def _escaped(found: re.Match[str]) -> str:
    name = found[1] or ""
    meant = html.entities.html5.get(name)
    return escape(meant) if meant is not None else f"&amp;{name}"
