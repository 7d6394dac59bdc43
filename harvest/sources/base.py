"""The interface of a source, which lists albums, characters and pictures in steps.

A source is a plug-in: a class under the entry point group ``icf.sources``, named by its
``kind``. It answers one `Task` at a time with one `ListingPage`; the page is stored
with its tasks and its cursor, in one transaction, before the next one is requested.
So a source loses nothing in a crash.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_args, runtime_checkable

import pydantic

from icf.codes import FetchStatus, Gender, Region
from icf.entry_points import entry_points
from icf.errors import WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.sources.rules import Rules
from icf.harvest.sources.toml_types import misread
from icf.settings import HarvestSettings, Settings, what_is_wrong

if TYPE_CHECKING:
    from icf.harvest.http.session import Web

GROUP = "icf.sources"
#: Errors of a source that one odd answer makes; the other listings go on.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Album:
    """A cartoon: a film, a series, a book.

    Attributes:
        rank: 1 for the first of the source's list, where that is a ranking.
        region: where it was made.
        style: how it is drawn (`icf.harvest.attributes.style`).
    """

    name: str
    page_url: str | None = None
    rank: int | None = None
    region: Region | None = None
    style: str | None = None


@dataclass(frozen=True)
class Character:
    """A character of an album."""

    album: str
    name: str
    page_url: str | None = None
    gender: Gender | None = None


@dataclass(frozen=True)
class Track:
    """A face that was followed through a shot, where it is in one frame.

    Attributes:
        name: unique among the tracks of all videos.
        box: x1, y1, x2, y2 in pixels of the upright frame; x2 and y2 are exclusive.
    """

    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """Where in a video a picture is.

    Attributes:
        seconds: its true presentation time, from the start of the video.
        shot: number of its shot in the video, from 0; None where no shots were found.
        tracks: the faces on it that were followed.
    """

    seconds: float
    shot: int | None
    tracks: tuple[Track, ...] = ()


class Corrects(Enum):
    """Which earlier statements a listed picture corrects.

    They are the page, the licence and the author of a URL that this source was the
    first to list. Those of another source always stand.
    """

    #: None: another row of the same list has said it already.
    NOTHING = 0
    #: Those of the same page.
    PAGE = 1
    #: All of the source's, whatever their page.
    SOURCE = 2


@dataclass(frozen=True)
class Picture:
    """A picture that a source files under a character.

    Attributes:
        url: as the source wrote it.
        album: with ``character``, the character that it should show. With an album
            only, it is a candidate for every character of that album, also for those
            found later; with neither, for none.
        is_lead: it is the lead picture of the character's page.
        sha1: of its bytes, as the site states it, in hex.
        size: in bytes, as the site states it.
        own: the source's `Reader` reads its bytes; nothing is requested from the web.
        version: changes when its bytes do, such as a time and a size; then they are
            read again.
        frame: where in a video it is.
        fate: other than pending where the source already knows it, with ``message``.
        fallbacks: other addresses of the same picture, such as a mirror or a smaller
            version; they are asked for in this order if the first one is gone.
        corrects: what it changes of what the source said of this URL before.
    """

    url: str
    album: str | None = None
    character: str | None = None
    is_lead: bool = False
    page_url: str | None = None
    licence: Licence = UNKNOWN
    sha1: str | None = None
    size: int | None = None
    own: bool = False
    version: str | None = None
    frame: Frame | None = None
    fate: FetchStatus = FetchStatus.PENDING
    message: str | None = None
    fallbacks: tuple[str, ...] = ()
    corrects: Corrects = Corrects.PAGE


class Level(str, Enum):
    """The steps of the hierarchy that a harvest goes down."""

    ALBUMS = "albums"
    CHARACTERS = "characters"
    IMAGES = "images"


@dataclass(frozen=True)
class Task:
    """One thing to list.

    Attributes:
        kind: "albums", "characters", "images", or what the source calls it.
        subject: with the kind, unique in its source; a known task is not added again.
        album: whose characters or images are listed.
        character: whose images are listed.
        cursor: as the last page of the task returned it.
        level: what its pages list: the albums of a source, the characters of an album,
            or pictures.
    """

    kind: str
    subject: str
    album: str | None = None
    character: str | None = None
    cursor: str | None = None
    level: Level = Level.IMAGES


@dataclass(frozen=True)
class ListingPage:
    """What one step found.

    Attributes:
        tasks: what is to be listed next; known ones are not listed twice.
        cursor: kept with the task, for its next step or its next refresh.
        done: False where the task has more steps.
        faults: rows or files that could not be read, each with where and why.
        passed_over: number of things that the source skipped, such as icons.
        left_out: number of folders and files that a machine made, by name.
    """

    albums: tuple[Album, ...] = ()
    characters: tuple[Character, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tasks: tuple[Task, ...] = ()
    cursor: str | None = None
    done: bool = True
    faults: tuple[str, ...] = ()
    passed_over: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """A task that waits in the catalogue."""

    id: int
    task: Task


class Sink(Protocol):
    """Receives the bytes of a picture."""

    def write(self, piece: bytes, /) -> object:
        """Take the next piece."""

    @property
    def sha1(self) -> str:
        """SHA-1 of all pieces so far, in hexadecimal."""


class Reader(Protocol):
    """Reads pictures out of a source's own files, folders and containers."""

    def read(self, url: str, sink: Sink) -> None:
        """Write the bytes of a picture into a sink; called in a thread of its own.

        Args:
            url: as the source listed it.
            sink: where its bytes go.

        Raises:
            Fault: it cannot be read; what was written into the sink is discarded.
        """

    def close(self) -> None:
        """End what reading has started; called once, at the end of a run."""


class Source(Protocol):
    """Lists albums, characters and pictures."""

    name: str
    #: Reads the pictures that are the source's `own`; None where all are on the web.
    reader: Reader | None

    def first_tasks(self) -> Iterable[Task]:
        """Return where listing begins; called at the start of every run."""

    async def step(self, task: Task, web: Web) -> ListingPage:
        """List the next part of a task.

        Raises:
            Fault: it cannot be listed; the task is stored as failed.
        """


class Listings(Protocol):
    """The waiting tasks of one source, as a `Crawler` sees them."""

    async def waiting(self, count: int, without: Collection[int] = ()) -> list[Listing]:
        """Return the oldest tasks that wait, of the levels that this run is for.

        Args:
            count: how many at most.
            without: ids of those that are already in progress.
        """

    async def answer(self, listing: Listing, answer: ListingPage) -> None:
        """Store a page of a task, in one transaction."""

    async def fail(
        self, listing: Listing, message: str, *, is_silence: bool = False
    ) -> None:
        """Store a task as failed.

        Args:
            listing: the task.
            message: why.
            is_silence: the site gave no answer. After some in a row no task waits any
                more in this run.
        """


@runtime_checkable
class Crawler(Protocol):
    """A source that requests many tasks at a time by itself; its `step` is not used."""

    async def crawl(self, listings: Listings, web: Web) -> None:
        """List tasks until none waits.

        Raises:
            Fault: nothing can be requested at all.
        """


class SourceKind(Protocol):
    """What an entry point of the group leads to: usually the class itself.

    It takes the ``[[source]]`` table, the workspace's folder (relative paths are read
    from there) and the settings of the harvest, and raises `WrongUse` for a key it does
    not know.
    """

    def __call__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> Source:
        """Make the source."""


class SourceTable(Rules):
    """The keys that every ``[[source]]`` table has; each kind adds its own."""

    name: str = pydantic.Field(min_length=1)
    kind: str


T = TypeVar("T", bound=Rules)


def read_table(model: type[T], table: Mapping[str, Any]) -> T:
    """Check a ``[[source]]`` table against its kind's keys.

    Raises:
        WrongUse: a key is unknown (the nearest known one is named), missing, or of the
            wrong type.
    """
    name = table.get("name", "?")
    try:
        read = model.model_validate(dict(table))
    except pydantic.ValidationError as error:
        lines = [_explained(fault, model) for fault in error.errors()]
        raise WrongUse(f"[[source]] {name!r}: " + "; ".join(lines)) from error
    if wrong := list(misread(table, read)):
        raise WrongUse(f"[[source]] {name!r}: " + "; ".join(wrong))
    return read


def _explained(fault: Any, model: type[Rules]) -> str:
    path = [str(part) for part in fault["loc"]]
    if fault["type"] != "extra_forbidden":
        # Of a value that may be of several kinds, the kind is no part of its name.
        shown = [part for part in path if "[" not in part]
        return f"{'.'.join(shown) or 'the table'}: {what_is_wrong(fault)}"
    fields: Mapping[str, pydantic.fields.FieldInfo] = model.model_fields
    for part in path[:-1]:
        if part not in fields:  # a number: a table of a list
            break
        inner = fields[part].annotation
        # A table that may be left out is a union with None.
        models = [
            one
            for one in (inner, *get_args(inner))
            if isinstance(one, type) and issubclass(one, pydantic.BaseModel)
        ]
        if not models:
            break
        fields = models[0].model_fields
    near = difflib.get_close_matches(path[-1], fields, 1, cutoff=0)
    return f"unknown key {'.'.join(path)!r}; the nearest known one is {near[0]!r}"


def open_sources(settings: Settings, root: Path) -> list[Source]:
    """Make every source that ``icf.toml`` declares.

    Raises:
        WrongUse: a kind that is not installed, a name used twice, or a bad key.
    """
    kinds = {point.name: point for point in entry_points(GROUP)}
    sources: list[Source] = []
    for table in settings.source:
        kind = str(table.get("kind", ""))
        if kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise WrongUse(
                f"[[source]] {table.get('name', '?')!r} is of kind {kind!r}; "
                f"installed kinds: {known}"
            )
        make: SourceKind = kinds[kind].load()
        source = make(table, root, settings.harvest)
        if any(other.name == source.name for other in sources):
            raise WrongUse(f"two sources are named {source.name!r}; rename one")
        sources.append(source)
    return sources


def rules_of(settings: Settings) -> dict[str, Rules]:
    """Return the limits and filters of each source that ``icf.toml`` declares, by name.

    Raises:
        WrongUse: a bad key.
    """
    return {
        str(table.get("name", "")): read_table(
            Rules, {key: table[key] for key in Rules.model_fields if key in table}
        )
        for table in settings.source
    }
