"""Read one page by the rules of its site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urljoin

from parsel import Selector

from icf.codes import FetchStatus, Gender, Region
from icf.harvest.attributes.gender import read_gender
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.attributes.rank import read_rank
from icf.harvest.attributes.region import read_region
from icf.harvest.attributes.style import read_style
from icf.harvest.fault import Fault
from icf.harvest.http.opt_out import opted_out
from icf.harvest.http.robots_file import ROBOT
from icf.harvest.http.urls import WebUrl, normalise
from icf.harvest.sources.base import Album, Character, Level, ListingPage, Picture, Task
from icf.harvest.sources.web_rules.addresses import addresses_of, pictures_in
from icf.harvest.sources.web_rules.queries import (
    address_of,
    find,
    is_query,
    leads_nowhere,
    text_of,
)
from icf.harvest.sources.web_rules.tables import Images, WebTable

#: Most links of a kind on one page.
MOST = 20_000
_LONGEST_NAME = 300

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """A fetched page.

    Attributes:
        url: where it is, after redirects.
        base: what its relative links are relative to.
        robots: every ``X-Robots-Tag`` of its response.
        reserved: what its site says against training on its pictures, or None.
    """

    url: str
    base: str
    root: Selector
    robots: tuple[str, ...] = ()
    reserved: str | None = None


def first_tasks(table: WebTable) -> Iterator[Task]:
    """Return the first listings of a site."""
    kind = "albums" if table.albums.link else "start"
    for url in table.albums.start:
        yield Task(kind, url, level=Level.ALBUMS)


def url_of(task: Task) -> str:
    """Return the address of a task's page: a subject begins with it."""
    return task.subject.partition(" ")[0]


def read_page(page: Page, task: Task, table: WebTable, *, obey: bool) -> ListingPage:
    """Return what is on a page.

    Args:
        page: as fetched.
        task: that it was fetched for.
        table: the site's rules.
        obey: whether links of a page with "nofollow" are ignored.

    Raises:
        ValueError: a rule cannot be applied to this page.
    """
    reading = _Reading(page, task, table)
    {
        "albums": reading.albums,
        "start": reading.start,
        "album": reading.album,
        "character": reading.gallery,
        "picture": reading.pictures_of_page,
    }[task.kind]()
    return reading.answer(obey)


@dataclass
class _Reading:
    """The state of reading one page."""

    page: Page
    task: Task
    table: WebTable
    _albums: list[Album] = field(default_factory=list)
    _characters: list[Character] = field(default_factory=list)
    _pictures: list[Picture] = field(default_factory=list)
    _tasks: list[Task] = field(default_factory=list)
    _faults: list[str] = field(default_factory=list)
    _elsewhere: list[str] = field(default_factory=list)

    # --- what a kind of page has --------------------------------------------------

    def albums(self) -> None:
        """Read a page that lists albums."""
        rules = self.table.albums
        linked = list(self._linked(rules.item, rules.link))
        for item, link in self._with_pages(linked):
            if (url := self._page_url(link)) is None:
                continue
            self._add_album(item, self._name(item, link, rules.name), url)
        self._next(rules.next)
        if not linked and not self._tasks and url_of(self.task) in rules.start:
            where = rules.link if rules.item is None else f"{rules.item} / {rules.link}"
            self._faults.append(f"{self.page.url}: names no albums by {where!r}")

    def start(self) -> None:
        """Read the name of the album whose own page a start page is."""
        root = self.page.root
        name = self._value(root, self.table.albums.name)
        self._add_album(root, name, url_of(self.task))

    def album(self) -> None:
        """Read an album's page."""
        rules = self.table.characters
        if rules is None:
            self.gallery()
            return
        if rules.link is None:
            self._characters_in_items()
        else:
            linked = self._linked(rules.item, rules.link)
            for item, link in self._with_pages(linked):
                if (url := self._page_url(link)) is not None:
                    name = self._name(item, link, rules.name)
                    self._add_character(item, name, url)
        self._next(rules.next)

    def gallery(self) -> None:
        """Read a page with pictures, or with links to the pages of pictures."""
        rules = self.table.images
        if rules.lead is not None:
            self._add_pictures(self.page.root, rules.lead, is_lead=True)
        if rules.link is None:
            self.pictures_of_page()
        else:
            for _, link in self._with_pages(self._linked(None, rules.link)):
                if (url := self._page_url(link)) is not None:
                    self._follow("picture", url, self.task.album, self.task.character)
        self._next(rules.next)

    def pictures_of_page(self) -> None:
        """Read the pictures in the page itself."""
        self._pictures_in(self.page.root)
        if self.task.kind == "picture" and not self._pictures:
            rule = self.table.images.url
            self._faults.append(f"{self.page.url}: names no picture by {rule!r}")

    # --- what is in it ------------------------------------------------------------

    def _characters_in_items(self) -> None:
        rules = self.table.characters
        assert rules is not None
        assert rules.item is not None
        for item in self._some(find(self.page.root, rules.item)):
            name = self._value(item, rules.name)
            if self._add_character(item, name, None):
                self._pictures_in(item, name)

    def _add_album(self, item: Selector, name: str, url: str) -> None:
        rules = self.table.albums
        if not name:
            self._faults.append(f"{url}: an album without a name")
            return
        rank = read_rank(self._value(item, rules.rank))
        region = self._value(item, rules.region)
        self._albums.append(
            Album(
                name,
                url,
                rank,
                _code(Region, region) or read_region(region),
                read_style(self._value(item, rules.style)),
            )
        )
        level = Level.CHARACTERS if self.table.characters else Level.IMAGES
        self._follow("album", url, name, level=level)

    def _add_character(self, item: Selector, name: str, url: str | None) -> bool:
        rules, album = self.table.characters, self.task.album or ""
        assert rules is not None
        if not name:
            self._faults.append(f"{url or self.page.url}: a character without a name")
            return False
        gender = self._value(item, rules.gender)
        self._characters.append(
            Character(album, name, url, _code(Gender, gender) or read_gender(gender))
        )
        if url is not None:
            self._follow("character", url, album, name)
        return True

    def _pictures_in(self, node: Selector, character: str | None = None) -> None:
        rules = self.table.images
        items = [node] if rules.item is None else self._some(find(node, rules.item))
        for item in items:
            self._add_pictures(item, rules.url, character)

    def _add_pictures(
        self,
        item: Selector,
        query: str,
        character: str | None = None,
        *,
        is_lead: bool = False,
    ) -> None:
        licence = self._licence(item)
        for found in self._some(pictures_in(find(item, query))):
            if addresses := addresses_of(found):
                first, *others = (_joined(self.page.base, one) for one in addresses)
                self._pictures.append(
                    Picture(
                        first,
                        self.task.album,
                        character or self.task.character,
                        is_lead=is_lead,
                        page_url=self.page.url,
                        licence=licence,
                        fallbacks=tuple(others),
                    )
                )

    def _licence(self, item: Selector) -> Licence:
        rules, root = self.table.images, self.page.root
        author = self._value(item, rules.author) or self._value(root, rules.author)
        name, url, where = _stated_licence(item, rules)
        if not name and item is not root:
            name, url, where = _stated_licence(root, rules)
        if not name:
            name, url, where = UNKNOWN.name, "", UNKNOWN.read_from
        url = _joined(self.page.base, url) if url else ""
        return Licence(name, url or None, where, author or None)

    # --- links --------------------------------------------------------------------

    def _linked(
        self, item: str | None, link: str | None
    ) -> Iterator[tuple[Selector, Selector]]:
        """Return pairs of an item and the link in it; a link can be its own item."""
        assert link is not None
        if item is None:
            for found in self._some(find(self.page.root, link)):
                yield found, found
            return
        for one in self._some(find(self.page.root, item)):
            for found in find(one, link)[:1]:
                yield one, found

    def _with_pages(
        self, linked: Iterable[tuple[Selector, Selector]]
    ) -> list[tuple[Selector, Selector]]:
        """Leave out links for a script, which would all have what is on this page.

        A single one is how a page names itself in a list.
        """
        pairs = list(linked)
        kept = [pair for pair in pairs if not leads_nowhere(address_of(pair[1]))]
        left_out = len(pairs) - len(kept)
        if left_out <= 1:
            return pairs
        self._faults.append(
            f"{self.page.url}: {left_out} links have no address of a page; scripts "
            "may open them, which are not run"
        )
        return kept

    def _page_url(self, link: Selector) -> str | None:
        """Return the address of a page that may be asked for."""
        address = address_of(link)
        try:
            found: WebUrl = normalise(address, base=self.page.base)
        except Fault as fault:
            self._faults.append(f"{self.page.url}: {fault}")
            return None
        if found.host not in self.table.allowed_hosts:
            self._elsewhere.append(found.host)
            return None
        return found.url

    def _follow(
        self,
        kind: str,
        url: str,
        album: str | None = None,
        character: str | None = None,
        *,
        level: Level = Level.IMAGES,
        number: int = 1,
    ) -> None:
        whose = " / ".join(name for name in (album, character) if name)
        subject = f"{url} {whose}".rstrip()
        self._tasks.append(Task(kind, subject, album, character, str(number), level))

    def _next(self, query: str | None) -> None:
        for link in find(self.page.root, query)[:1] if query else ():
            url, task = self._page_url(link), self.task
            number = int(task.cursor or 1) + 1
            if url is None:
                continue
            if number > self.table.max_pages:
                self._faults.append(
                    f"{self.page.url}: page {number} of this list is beyond "
                    f"max_pages = {self.table.max_pages}"
                )
                continue
            self._follow(
                task.kind,
                url,
                task.album,
                task.character,
                level=task.level,
                number=number,
            )

    # --- values -------------------------------------------------------------------

    def _name(self, item: Selector, link: Selector, query: str | None) -> str:
        return (
            text_of(link)[:_LONGEST_NAME] if query is None else self._value(item, query)
        )

    def _value(self, node: Selector, rule: str | None) -> str:
        return _value(node, rule)[:_LONGEST_NAME]

    def _some(self, found: list[Selector]) -> list[Selector]:
        if len(found) > MOST:
            self._faults.append(f"{self.page.url}: the first {MOST} of {len(found)}")
        return found[:MOST]

    # --- all of it ----------------------------------------------------------------

    def answer(self, obey: bool) -> ListingPage:
        """Return what was found, without what the page excludes for robots."""
        tasks, passed_over = tuple(dict.fromkeys(self._tasks)), 0
        words = (*self.page.robots, *_meta(self.page.root))
        if obey and _nofollow(words):
            # The album of a start page is on that very page: no link was followed.
            kept = tuple(t for t in tasks if url_of(t) == url_of(self.task))
            tasks, passed_over = kept, len(tasks) - len(kept)
        word = opted_out(words, ROBOT) or self.page.reserved
        pictures = _leads_once(self._pictures)
        if word is not None:
            pictures = [_left_alone(one, word) for one in pictures]
        if self._elsewhere:
            hosts = ", ".join(sorted(set(self._elsewhere))[:5])
            self._faults.append(
                f"{self.page.url}: {len(self._elsewhere)} links lead to {hosts}; name "
                "these hosts in the source's `hosts` if their pages are wanted"
            )
        return ListingPage(
            albums=tuple(self._albums),
            characters=tuple(self._characters),
            pictures=tuple(pictures),
            tasks=tasks,
            cursor=self.task.cursor,
            faults=tuple(self._faults),
            passed_over=passed_over,
        )


def _value(node: Selector, rule: str | None) -> str:
    if rule is None or not is_query(rule):
        return rule or ""
    return next((text for one in find(node, rule) if (text := text_of(one))), "")


def _stated_licence(node: Selector, rules: Images) -> tuple[str, str, str]:
    """Return the name and the address of a licence, and where it is stated."""
    if rules.licence is not None:
        where = "page" if is_query(rules.licence) else "settings"
        return _value(node, rules.licence), _licence_url(node, rules), where
    for link in node.xpath(".//*[@rel]"):
        if "license" not in link.attrib["rel"].lower().split():
            continue
        if name := text_of(link) or address_of(link):
            return name, address_of(link), "page"
    return "", "", ""


def _licence_url(node: Selector, rules: Images) -> str:
    if rules.licence_url is not None and is_query(rules.licence_url):
        return next((address_of(one) for one in find(node, rules.licence_url)), "")
    return rules.licence_url or ""


def _code(codes: type[T], text: str) -> T | None:
    try:
        return codes(text.casefold())  # type: ignore[call-arg]
    except ValueError:
        return None


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return address  # it gets its status when it is stored


def _meta(root: Selector) -> list[str]:
    """Return the robots directives of the page's ``<meta>`` elements."""
    said = []
    for meta in root.xpath("//meta[@name and @content]"):
        name = (meta.attrib["name"] or "").strip().lower()
        if name in ("robots", ROBOT):
            said.append(meta.attrib["content"])
    return said


def _nofollow(words: Iterable[str]) -> bool:
    for said in words:
        addressee, colon, rest = said.lower().partition(":")
        if colon and addressee.strip() not in ("*", ROBOT):
            continue
        directives = {
            word.strip() for word in (rest if colon else said.lower()).split(",")
        }
        if directives & {"nofollow", "none"}:
            return True
    return False


def _leads_once(pictures: list[Picture]) -> list[Picture]:
    """Drop the lead picture of a page from its gallery."""
    kept: dict[tuple[str, str | None], Picture] = {}
    for one in pictures:
        kept.setdefault((one.url, one.character), one)
    return list(kept.values())


def _left_alone(picture: Picture, word: str) -> Picture:
    return replace(
        picture,
        fate=FetchStatus.OPTED_OUT,
        message=f"its page {picture.page_url} says {word}",
    )
