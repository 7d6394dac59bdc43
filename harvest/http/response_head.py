"""The head of a response as servers send it, made into the head that it means.

Parsers of HTTP refuse what every browser shows: a length next to chunks, names with
spaces, bytes in Latin-1, bare line feeds. Here such a head is read as browsers read it
and written as RFC 9112 wants it. What leaves it open where the body ends, or where a
redirect leads, is refused by name.
"""

from __future__ import annotations

import http.client
import re
from urllib.parse import quote

#: As in Chromium; a longer head is refused.
MAX_HEAD = 1 << 18

_END = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_STATUS = re.compile(
    rb"HTTP(?:/(\d+)(?:\.(\d+))?)?[ \t]+(\d{3})(?!\d)(.*)", re.I | re.S
)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
#: Transfer codings that are undone like content codings.
_PACKINGS = (b"gzip", b"x-gzip", b"deflate")
_MOST_DIGITS = 18

Fields = list[tuple[bytes, bytes]]


class BadHead(http.client.HTTPException):
    """The head of a response does not say what the response is."""


def end_of_head(received: bytes | bytearray, start: int = 0) -> int | None:
    r"""Return where the body begins; None if the head is not complete.

    Args:
        received: bytes from the beginning of the head.
        start: bytes that were searched before.

    >>> end_of_head(b"HTTP/1.1 200 OK\nETag: 1\n\nbody")
    25
    """
    found = _END.search(received, max(0, start - 2))
    return None if found is None else found.end()


def is_interim(head: bytes) -> bool:
    """Return whether another head follows a tidied one, as after "103 Early Hints"."""
    return head[9:10] == b"1" and head[9:12] != b"101"


def is_http(received: bytes | bytearray) -> bool:
    """Return whether bytes can be the beginning of a head."""
    begin = bytes(received[:5]).upper()
    return b"HTTP/".startswith(begin) or begin.startswith(b"HTTP")


def tidied(head: bytes) -> bytes:
    r"""Return the head of a response as RFC 9112 wants it, with the same meaning.

    Args:
        head: all bytes before the body.

    Raises:
        BadHead: two lengths, two targets of a redirect, or an unknown framing.

    >>> tidied(b"HTTP/1.1 200\nContent-Length : 5\nContent-Length: 5\n\n")
    b'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n'
    """
    first, *lines = _LINE_END.split(head.strip(b"\r\n"))
    status = _STATUS.fullmatch(first)
    if status is None:
        raise BadHead(f"it begins with {first[:60]!r}")
    major, minor, code, reason = status.groups()
    version = b"1.0" if (major, minor) == (b"1", b"0") else b"1.1"
    fields = _framed(_fields(lines))
    if code.startswith(b"3"):
        fields = _with_one_location(fields)
    written = [b"HTTP/%s %s %s" % (version, code, _text(reason))]
    written += [b"%s: %s" % field for field in fields]
    return b"\r\n".join(written) + b"\r\n\r\n"


def _fields(lines: list[bytes]) -> Fields:
    """Return names and values; a line that is no field is passed over."""
    fields: Fields = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if fields:  # the next line of a folded value
                name, value = fields[-1]
                fields[-1] = name, b"%s %s" % (value, line.strip())
            continue
        name, colon, value = line.partition(b":")
        if colon and _NAME.fullmatch(name.rstrip(b" \t")):
            fields.append((name.rstrip(b" \t"), value.strip()))
    return [
        (name, _address(value) if name.lower() == b"location" else _text(value))
        for name, value in fields
    ]


def _text(value: bytes) -> bytes:
    """Return a value in UTF-8, without control characters."""
    clean = _CONTROL.sub(b" ", value).strip()
    try:
        clean.decode("utf-8")
    except UnicodeDecodeError:
        return clean.decode("latin-1").encode("utf-8")
    return clean


def _address(value: bytes) -> bytes:
    """Return a URL with bytes outside of ASCII escaped, whatever their encoding."""
    return quote(_CONTROL.sub(b"", value).strip(), safe=_ASCII).encode("ascii")


_ASCII = bytes(range(128))


def _values(fields: Fields, name: bytes) -> list[bytes]:
    """Return the elements of a list field, from all of its lines."""
    found = [value for key, value in fields if key.lower() == name]
    parts = (part.strip() for value in found for part in value.split(b","))
    return [part for part in parts if part]


def _without(fields: Fields, *names: bytes) -> Fields:
    return [field for field in fields if field[0].lower() not in names]


def _framed(fields: Fields) -> Fields:
    """Return the fields with one statement of where the body ends (RFC 9112, 6.3)."""
    codings = [value.lower() for value in _values(fields, b"transfer-encoding")]
    codings = [coding for coding in codings if coding != b"identity"]
    if not codings:
        return _with_one_length(_without(fields, b"transfer-encoding"))
    packings = [coding for coding in codings if coding != b"chunked"]
    unknown = [coding for coding in packings if coding not in _PACKINGS]
    if unknown or b"chunked" in codings[: len(packings)]:
        stated = b", ".join(codings).decode("latin-1")
        raise BadHead(f"Transfer-Encoding: {stated}, from which its end is not known")
    stated_length = bool(_values(fields, b"content-length"))
    fields = _without(fields, b"transfer-encoding", b"content-length")
    if packings:
        content = [*_values(fields, b"content-encoding"), *packings]
        rest = _without(fields, b"content-encoding")
        fields = [(b"Content-Encoding", b", ".join(content)), *rest]
    if stated_length:
        # Someone between us and the server may take the length for the end.
        fields = [(b"Connection", b"close"), *_without(fields, b"connection")]
    if len(packings) < len(codings):
        fields = [(b"Transfer-Encoding", b"chunked"), *fields]
    return fields


def _with_one_length(fields: Fields) -> Fields:
    stated = _values(fields, b"content-length")
    fields = _without(fields, b"content-length")
    if not stated:
        return fields
    lengths = {value.lstrip(b"0") or b"0" for value in stated}
    if len(lengths) > 1:
        both = " and ".join(sorted(value.decode("latin-1") for value in lengths))
        raise BadHead(f"two lengths, Content-Length: {both}")
    (length,) = lengths
    if not length.isdigit():
        return fields  # no number: the body ends with the connection
    length = length if len(length) <= _MOST_DIGITS else b"9" * _MOST_DIGITS
    return [(b"Content-Length", length), *fields]


def _with_one_location(fields: Fields) -> Fields:
    targets = {value for name, value in fields if name.lower() == b"location"} - {b""}
    if len(targets) > 1:
        both = " and ".join(sorted(target.decode("ascii") for target in targets))
        raise BadHead(f"a redirect to two places, Location: {both}")
    rest = _without(fields, b"location")
    return [*((b"Location", target) for target in targets), *rest]
