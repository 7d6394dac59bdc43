"""A report as its reader gets it: every tag, attribute and text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

_EMPTY = {"meta", "img", "col", "input"}


class Page(HTMLParser):
    """Parses a page; refuses tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self._texts.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such tag, in order."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        """All text."""
        return "".join(self._texts)

    @property
    def words(self) -> str:
        """The text with one space between words, and between tags."""
        return " ".join(" ".join(self._texts).split())
