"""Read the wikitext of a page: templates with their parameters, links, galleries.

Braces and brackets are counted, so a parameter may hold links and further templates; a
brace that is never closed is plain text. Nothing is expanded: for that,
`icf.harvest.sources.mediawiki.rendered` reads the page as the site renders it.

Everything here takes time in proportion to the length of the text. That is why it does
not use mwparserfromhell, which backtracks: where braces or tags are never closed, its
time grows with the square of the length (version 0.7.2: 5.6 s for 20 kB of ``{{a|``, so
hours for 1 MB, which takes less than 2 s here).
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_VERBATIM = ("nowiki", "pre", "syntaxhighlight", "source", "math")
_LINK = re.compile(r"\[\[([^\[\]|{}<>\n]+)(?:\|([^\[\]]*))?\]\]")
_TAG = re.compile(r"<[^<>]*>")
_ITEM = re.compile(r"<br\s*/?>|</?li\b[^<>]*>|\n[*#]*|,", re.IGNORECASE)
_MARK = re.compile(r"\{\{|\}\}|\[\[|\]\]|\||=")
_NO_TITLE = re.compile(r"[\x00-\x1f\x7f<>\[\]{}|�]")
_LONGEST_TITLE = 255
#: Small letters of Georgian, whose capitals begin no word: MediaWiki leaves them.
_GEORGIAN = re.compile("[\u10d0-\u10ff]")
#: Calls within calls; MediaWiki itself goes no deeper.
_DEEPEST = 40


@dataclass(frozen=True)
class Template:
    """A call of a template.

    Attributes:
        name: as written, such as "Infobox character".
        parameters: raw text by name; those without a name are "1", "2", ...
    """

    name: str
    parameters: Mapping[str, str]


def templates(text: str) -> list[Template]:
    """Return the templates that a text calls, outer ones first.

    >>> templates("{{Box|{{PAGENAME}}|gender = [[Female|f]]}}")[0].parameters
    {'1': '{{PAGENAME}}', 'gender': '[[Female|f]]'}
    """
    found: list[tuple[int, Template]] = []
    open_calls: list[_Call] = []
    brackets = 0
    text = _bare(text)
    for mark in _MARK.finditer(text):
        token, at = mark.group(), mark.start()
        if token == "{{":
            open_calls.append(_Call(mark.end(), brackets))
        elif not open_calls:
            continue
        elif token == "}}":
            call = open_calls.pop()
            brackets = call.brackets
            if len(open_calls) < _DEEPEST:
                found.append((call.start, call.end(text, at)))
        elif token == "[[":
            brackets += 1
        elif token == "]]":
            brackets = max(brackets - 1, open_calls[-1].brackets)
        elif brackets == open_calls[-1].brackets:
            open_calls[-1].mark(token, at)
    return [template for _, template in sorted(found, key=lambda one: one[0])]


class _Call:
    """A template whose closing braces are still to come."""

    def __init__(self, start: int, brackets: int) -> None:
        self.start = start
        self.brackets = brackets
        self._bars: list[int] = []
        self._equals: dict[int, int] = {}

    def mark(self, token: str, at: int) -> None:
        if token == "|":
            self._bars.append(at)
        else:
            self._equals.setdefault(len(self._bars), at)

    def end(self, text: str, at: int) -> Template:
        edges = [self.start - 1, *self._bars, at]
        name = text[self.start : edges[1]].strip()
        parameters: dict[str, str] = {}
        unnamed = 0
        for part in range(1, len(edges) - 1):
            begin, stop = edges[part] + 1, edges[part + 1]
            equals = self._equals.get(part)
            if equals is None:
                unnamed += 1
                parameters[str(unnamed)] = text[begin:stop].strip()
            else:
                key = text[begin:equals].strip()
                parameters[key] = text[equals + 1 : stop].strip()
        return Template(name, parameters)


def parameter(text: str, names: Iterable[str]) -> str | None:
    """Return the first parameter of any template that has one of these names.

    Args:
        text: of a page.
        names: the earlier, the better; compared without case, spaces, "_" and "-".

    Returns:
        Its raw text; None where every one is missing or empty.
    """
    calls = templates(text)
    for name in map(_key, names):
        for call in calls:
            for key, value in call.parameters.items():
                if _key(key) == name and value:
                    return value
    return None


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def links(text: str, *, capital: bool = True) -> list[str]:
    """Return the titles that a text links to, without sections, each once.

    Args:
        text: of a page.
        capital: write first letters as `clean_title` does.

    >>> links("[[Luna]], [[Sol#Life|the Sun]], [[ luna]] and [[:Category:Stars]]")
    ['Luna', 'Sol', 'Category:Stars']
    """
    linked = _LINK.finditer(_bare(text, "ref"))
    titles = (clean_title(link.group(1), capital=capital) for link in linked)
    return list(dict.fromkeys(title for title in titles if title))


def names(text: str, *, capital: bool = True) -> list[str]:
    """Return the names in a text: its links, or the items of its list as plain text.

    Args:
        text: of a page.
        capital: write first letters as `clean_title` does.

    >>> names("{{plainlist| [[Luna]] (voice) and [[Sol]]}}"), names("Luna<br/>Sol, Io")
    (['Luna', 'Sol'], ['Luna', 'Sol', 'Io'])
    """
    linked = links(text, capital=capital)
    if linked:
        return linked
    listed = [_without_calls(_bare(text, "ref"))]
    for call in templates(text):
        listed += [_without_calls(value) for value in call.parameters.values()]
    items = (plain(item) for one in listed for item in _ITEM.split(one))
    titles = (clean_title(item, capital=capital) for item in items)
    return list(dict.fromkeys(title for title in titles if title))


def plain(text: str) -> str:
    """Return a text without markup.

    >>> plain("'''[[Female|female]]''' <small>{{citation}}</small> &amp; so on")
    'female & so on'
    """
    text = _without_calls(_bare(text, "ref"))
    text = _LINK.sub(lambda link: link.group(2) or link.group(1), text)
    text = html.unescape(_TAG.sub(" ", text)).replace("'''", "").replace("''", "")
    return " ".join(text.lstrip("*#:; ").split())


def gallery_files(
    text: str, prefixes: Iterable[str] = ("File", "Image"), *, capital: bool = True
) -> list[str]:
    r"""Return the files that the text's ``<gallery>`` tags show, as titles.

    Args:
        text: of a page.
        prefixes: the site's names of the namespace of files, in any case.
        capital: write first letters as `clean_title` does.

    >>> gallery_files("<gallery>\nFile:A.png|A\nb c.jpg\n\n</gallery>")
    ['File:A.png', 'File:B c.jpg']
    """
    known = {prefix.casefold() for prefix in prefixes}
    text = _bare(text)
    lines = [
        html.unescape(line.partition("|")[0])
        for _, begin, stop, _ in _elements(text, ("gallery",))
        for line in text[begin:stop].splitlines()
    ]
    found = dict.fromkeys(file_title(line, known, capital=capital) for line in lines)
    return [title for title in found if title]


def file_title(text: str, prefixes: Collection[str], *, capital: bool = True) -> str:
    """Return the title of a file that is written with or without its namespace.

    Args:
        text: such as ``Datei:a b.png`` or ``a b.png``.
        prefixes: the site's names of the namespace of files, casefolded.
        capital: write the first letter as `clean_title` does.

    >>> file_title("datei:a_b.png", {"file", "datei"}), file_title("A: B.png", {"file"})
    ('File:A b.png', 'File:A: B.png')
    """
    prefix, colon, rest = text.strip().removeprefix(":").partition(":")
    name = clean_title(
        rest if colon and prefix.strip().casefold() in prefixes else text,
        capital=capital,
    )
    return f"File:{name}" if name else ""


def clean_title(text: str, *, capital: bool = True) -> str:
    """Return a title as MediaWiki spells it, without a section; empty if it is none.

    Args:
        text: the title as it is written.
        capital: begin with a capital, as most wikis do. Leave it where the wiki is
            asked: it knows what it does with first letters.

    >>> clean_title(" :luna_Rabbit#Life "), clean_title("a|b"), clean_title("a<b")
    ('Luna Rabbit', '', '')
    """
    title = html.unescape(text).partition("#")[0].replace("_", " ").strip()
    title = re.sub(" +", " ", title.removeprefix(":")).strip()
    too_long = len(title.encode("utf-8", "replace")) > _LONGEST_TITLE
    if too_long or _NO_TITLE.search(title):
        return ""
    return _capital(title[:1]) + title[1:] if capital else title


def folded_title(title: str) -> str:
    """Return what titles have in common that differ in the case of the first letter.

    >>> folded_title("ICarly") == folded_title("iCarly") != folded_title("icarly")
    True
    """
    return title[:1].casefold() + title[1:]


def _capital(letter: str) -> str:
    """Return the capital of a letter, where it has one that begins titles."""
    capital = letter.upper()
    return letter if len(capital) != 1 or _GEORGIAN.match(letter) else capital


def _bare(text: str, *more: str) -> str:
    """Drop comments, what is not markup, and further elements."""
    text = _COMMENT.sub("", text)
    return _without(text, ((s, e) for s, _, _, e in _elements(text, _VERBATIM + more)))


def _without_calls(text: str) -> str:
    """Drop templates; each ends an item of a list."""
    depth, start = 0, 0
    spans: list[tuple[int, int]] = []
    for mark in re.finditer(r"\{\{|\}\}", text):
        if mark.group() == "{{":
            start = start if depth else mark.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                spans.append((start, mark.end()))
    return _without(text, spans, "\n")


def _without(text: str, spans: Iterable[tuple[int, int]], instead: str = "") -> str:
    kept, at = [], 0
    for start, end in spans:
        kept.append(text[at:start])
        at = end
    return instead.join([*kept, text[at:]])


def _elements(text: str, tags: Collection[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield where each element begins, where its inside does, and where both end.

    An element that is never closed is plain text, and looked for once only.
    """
    opening = re.compile(rf"<({'|'.join(tags)})\b[^<>]*>", re.IGNORECASE)
    endless: set[str] = set()
    at = 0
    while found := opening.search(text, at):
        at = found.end()
        name = found.group(1).casefold()
        if found.group().endswith("/>"):
            yield found.start(), at, at, at
        elif name not in endless:
            closing = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, at)
            if closing is None:
                endless.add(name)
                continue
            yield found.start(), at, closing.start(), closing.end()
            at = closing.end()
