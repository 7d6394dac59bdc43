"""Queries of rules, in CSS or XPath.

A query begins with ``css:`` or ``xpath:``. Where a rule takes a fixed text as well, any
other text is a constant.
"""

from __future__ import annotations

from typing import Annotated

import pydantic
from parsel import Selector, SelectorList

_KINDS = ("css", "xpath")
#: Text that a reader of the page sees.
_SHOWN = ".//text()[not(ancestor::script or ancestor::style)]"
_EMPTY = Selector(text="<html></html>")


def is_query(text: str) -> bool:
    """Return whether a text is a query, not a fixed value.

    >>> is_query("css: h1::text"), is_query("CC BY 4.0")
    (True, False)
    """
    return text.partition(":")[0] in _KINDS


def find(node: Selector, query: str) -> SelectorList[Selector]:
    """Return what a query finds in a node, in the order of the page.

    Raises:
        ValueError: it is not valid CSS or XPath.
    """
    kind, _, text = query.partition(":")
    text = text.strip()
    if kind == "css":
        return node.css(text)
    # "//a" would look through the whole page whatever the node is.
    return node.xpath(f".{text}" if text.startswith("//") else text)


def text_of(found: Selector) -> str:
    """Return the text of an element, or the value of an attribute, on one line.

    Of an element it is what readers see: no styles and no scripts in it.
    """
    if isinstance(found.root, str):
        return " ".join(found.root.split())
    is_shown = found.xpath("self::*[not(self::script or self::style)]")
    words = "".join(found.xpath(_SHOWN if is_shown else "string()").getall())
    described = found.xpath("(@title | @alt | .//@alt | .//@title)[1]").get() or ""
    return " ".join((words.strip() or described).split())


def address_of(found: Selector) -> str:
    """Return the address that an element leads to, or in an attribute.

    >>> address_of(Selector(text='<a href="/b.png"><img src="/a.png"></a>').css("a")[0])
    '/b.png'
    """
    if isinstance(found.root, str):
        return found.root.strip()
    path = "(@href | @src | .//a/@href | .//img/@src)[1]"
    return (found.xpath(path).get() or "").strip()


def leads_nowhere(address: str) -> bool:
    """Return whether a link names no page: it is for a script, or marks a place.

    >>> leads_nowhere("#"), leads_nowhere("/luna#top")
    (True, False)
    """
    return not address or address.startswith("#")


def _check(text: str) -> str:
    if not is_query(text):
        raise ValueError(f"{text!r}: begin it with 'css:' or 'xpath:'")
    return _check_query(text)


def _check_query(text: str) -> str:
    if is_query(text):
        try:
            find(_EMPTY, text)
        except (ValueError, SyntaxError) as error:
            raise ValueError(f"{text!r} cannot be read: {error}") from error
    return text


Query = Annotated[str, pydantic.AfterValidator(_check)]
QueryOrText = Annotated[
    str, pydantic.Field(min_length=1), pydantic.AfterValidator(_check_query)
]
