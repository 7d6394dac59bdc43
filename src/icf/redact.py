"""Passwords stay where they were written: they are not shown, and not stored again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

_MASK = "***"
_SECRET = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|credential|cookie)s?"
)
#: A setting by this name has nothing but a secret.
_SECRET_KEY = re.compile(rf"(?:.*[_-])?(?:{_SECRET}|authorization)", re.IGNORECASE)
#: ``//user:password@host``
_IN_AUTHORITY = re.compile(r"(://[^:@/?#\s]*:)[^@\s]*(?=@)")
#: ``?password=...``
_IN_QUERY = re.compile(rf"([?&;][\w-]*{_SECRET}=)[^&;\s]*", re.IGNORECASE)
#: ``user:password@`` in an address; those of the web may do without slashes.
_LOGIN = re.compile(
    r"\A(\s*(?:https?:[/\\]*|[a-z][a-z0-9+.-]*:[/\\]+))[^/\\?#]*@", re.IGNORECASE
)

Address = TypeVar("Address", str, str | None)


def without_login(address: Address) -> Address:
    """Return an address without user name and password.

    >>> without_login("https://ann:moon@a.example/p?to=bob@b.example")
    'https://a.example/p?to=bob@b.example'
    >>> without_login("ftp://ann:moon@a.example/p.jpg")
    'ftp://a.example/p.jpg'
    """
    return _LOGIN.sub(r"\1", address) if address and "@" in address else address


def redact(text: str) -> str:
    """Return a text with the passwords of the URLs in it masked.

    >>> redact("postgresql://icf:moon@db/icf?sslpassword=sun")
    'postgresql://icf:***@db/icf?sslpassword=***'
    """
    return _IN_QUERY.sub(rf"\1{_MASK}", _IN_AUTHORITY.sub(rf"\1{_MASK}", text))


def redact_settings(value: Any) -> Any:
    """Return settings with what is secret masked, at any depth.

    >>> redact_settings({"name": "moon", "login": {"password": "sun"}})
    {'name': 'moon', 'login': {'password': '***'}}
    """
    if isinstance(value, Mapping):
        return {
            key: _MASK
            if each and _SECRET_KEY.fullmatch(str(key))
            else redact_settings(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_settings(each) for each in value]
    return redact(value) if isinstance(value, str) else value
