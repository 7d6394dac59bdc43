"""A workspace: the folder of one data set with its settings, catalogue and files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.catalogue import (
    Catalogue,
    is_known,
    sqlite_url,
    url_from,
    written_by_another,
)
from icf.catalogue.rows import has_rows
from icf.catalogue.schema import image, run
from icf.codes import ImageReason
from icf.errors import BrokenMachine, WrongUse
from icf.redact import redact, redact_settings
from icf.settings import LoadedSettings, Settings, load
from icf.stores.files import check_place_of_folder
from icf.stores.lock import one_at_a_time, this_process
from icf.version import __version__

if TYPE_CHECKING:
    from icf.stores.blobs import BlobStore
    from icf.stores.hash_index import HashIndex
    from icf.stores.vectors import VectorStore

_log = logging.getLogger(__name__)

CONFIG = "icf.toml"

#: Pictures that are looked for to see whether a blob store is the right one.
_LOOKED_FOR = 10

FOLDERS = ("blobs", "vectors", "models", "batches", "releases", "reports")

_FIRST_CONFIG = """\
# Settings of this icf workspace. `icf config show` lists every setting, its value and
# where the value came from. Declare what to harvest below, then run `icf-harvest run`.

[harvest]
contact = CONTACT        # a mail address or page; goes into the User-Agent

# What to harvest: remove the "# " of a source and change it. Every source may have
# limit = { albums = 10, characters = 20, images = 50 }
# only = { album = ["Moon*"], region = ["japan"] }
# skip = { character = ["/narrator/"], image = ["*.svg"] }

# [[source]]                        # your own pictures
# name = "mine"
# kind = "folder"
# path = "pictures"                 # pictures/ALBUM/CHARACTER/*.jpg
# album = "My scans"                # only for pictures/CHARACTER/*.jpg

# [[source]]                        # a table of album, character, url
# name = "table"
# kind = "list"
# path = "urls.csv"

# [[source]]                        # a wiki
# name = "wiki"
# kind = "mediawiki"
# api = "https://en.wikipedia.org/w/api.php"
# albums = { category = "Anime series" }
# characters = { category = "{album} characters" }

# [[source]]                        # a web site without an API
# name = "site"
# kind = "web"
# albums = { start = ["https://toons.example/shows"], link = "css: a.show" }
# characters = { link = "css: .cast a" }
# images = { url = "css: .gallery img" }

# [[source]]                        # CBZ, CBR, PDF, EPUB
# name = "comics"
# kind = "comic"
# path = "comics"                   # comics/ALBUM/*.cbz

# [[source]]                        # films and episodes
# name = "films"
# kind = "video"
# path = "films"                    # films/ALBUM/*.mp4

# [[source]]                        # sites that gallery-dl supports (an extra)
# name = "boards"
# kind = "gallery-dl"
# urls = ["https://example.org/tom/1.png"]
# album = "Tom and Jerry"
# character = "Tom"
"""


@dataclass(frozen=True)
class Workspace:
    """An opened workspace.

    Attributes:
        root: the folder with ``icf.toml`` in it, absolute.
        loaded: its settings, with the origin of each value.
    """

    root: Path
    loaded: LoadedSettings

    @property
    def settings(self) -> Settings:
        """The settings, with flags and variables applied."""
        return self.loaded.settings

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue, at this program's revision.

        A SQLite file of an earlier version is migrated when it is opened. A PostgreSQL
        that others may be working on is migrated by `icf init` alone.

        Raises:
            WrongUse: it was never created, or is at another revision.
            BrokenMachine: the database is damaged, was lost, or does not answer.
        """
        catalogue = self._database()
        found, head = catalogue.revisions()
        if found is not None and not is_known(found):
            raise WrongUse(f"the catalogue of {self.root} {written_by_another(found)}")
        self._check_not_lost(catalogue, found)
        if found is None:
            raise WrongUse(
                f"the catalogue {catalogue.shown} has no tables yet; make them with "
                f"`icf init {self.root}`, or name another with catalogue.url"
            )
        if catalogue.dialect == "sqlite" and found != head:
            _log.warning(
                "migrating the catalogue of %s from revision %s to %s",
                *(self.root, found, head),
            )
            catalogue.upgrade()
            found = head
        if found != head:
            raise WrongUse(
                f"the catalogue of {self.root} is at revision {found}, and this "
                f"program writes {head}; bring it up to date with "
                f"`icf init {self.root}`"
            )
        return catalogue

    def create_catalogue(self) -> None:
        """Create the catalogue's tables, or bring them to this program's revision.

        Raises:
            WrongUse: something else than this version or an earlier one wrote it.
            BrokenMachine: the database is damaged, was lost, or does not answer.
        """
        catalogue = self._database()
        self._check_not_lost(catalogue, catalogue.revisions()[0])
        catalogue.upgrade()
        catalogue.close()

    def _check_not_lost(self, catalogue: Catalogue, found: str | None) -> None:
        """See that an empty catalogue is right: nothing was stored here yet."""
        kept = (
            each
            for name in ("blobs", "vectors")
            for each in (self.root / name).glob("*")
        )
        has_pictures = any(each.name != "tmp" for each in kept)
        if has_pictures and self._is_empty(catalogue, found):
            raise BrokenMachine(
                f"the catalogue {catalogue.shown} is empty, although {self.root} has "
                "pictures: it was lost. Put a backup of it in its place, or name the "
                "right one with catalogue.url"
            )

    def _is_empty(self, catalogue: Catalogue, found: str | None) -> bool:
        """Whether a catalogue has no tables, or is another's that was never used."""
        if found is None:
            return True
        may_be_another = bool(self.settings.catalogue.url) and is_known(found)
        return may_be_another and not _is_used(catalogue)

    def _database(self) -> Catalogue:
        """The catalogue, at whatever revision."""
        return Catalogue(self._located_catalogue)

    @property
    def _located_catalogue(self) -> sa.URL:
        if url := self.settings.catalogue.url:
            return url_from(self.root, url)
        return sqlite_url(self.root / "catalogue.sqlite")

    @property
    def catalogue_url(self) -> str:
        """Its SQLAlchemy URL."""
        return self._located_catalogue.render_as_string(hide_password=False)

    @property
    def blobs_url(self) -> str:
        """Where the bytes are: a folder, absolute, or an fsspec URL."""
        from icf.stores.blobs import is_url

        url = self.settings.blobs.url or "blobs"
        return url if is_url(url) else str(self.root / Path(url).expanduser())

    @cached_property
    def blobs(self) -> BlobStore:
        """The bytes of every picture, by SHA-256."""
        from icf.stores.blobs import BlobStore

        return BlobStore(self.blobs_url)

    def check_blobs(self) -> None:
        """See that the blob store is this catalogue's, before anything relies on it.

        Raises:
            BrokenMachine: it has none of the oldest pictures, or does not answer.
        """
        there = image.c.reason != ImageReason.TAKEN_DOWN.value
        oldest = sa.select(image.c.sha256).where(there).order_by(image.c.id)
        with self.catalogue.read() as connection:
            some = connection.scalars(oldest.limit(_LOOKED_FOR)).all()
        # Of fewer, all may well be lost.
        if len(some) == _LOOKED_FOR and not any(map(self.blobs.has, some)):
            raise BrokenMachine(
                f"the blob store {redact(self.blobs_url)} has none of the catalogue's "
                f"pictures ({_LOOKED_FOR} were looked for): is blobs.url right (`icf "
                "config show`), and is its disk there? If they are lost, `icf doctor "
                "--repair` fetches them again, or says what does"
            )

    @cached_property
    def vectors(self) -> VectorStore:
        """The embeddings, by face id and model hash."""
        from icf.stores.vectors import VectorStore

        return VectorStore(self.root / "vectors")

    @cached_property
    def hashes(self) -> HashIndex:
        """The hashes of every face that was ever kept, as a search index."""
        from icf.stores.hash_index import HashIndex

        return HashIndex(self.root / "hashes")

    def stored_path(self, path: Path) -> str:
        """A path as the catalogue stores it: relative to the workspace where inside.

        So a workspace can be moved, and a copy of it names its own files.
        """
        resolved = path.resolve()
        if resolved.is_relative_to(self.root):
            return resolved.relative_to(self.root).as_posix()
        return str(resolved)

    @contextmanager
    def one_at_a_time(self, name: str, command: str) -> Iterator[None]:
        """Wait, and say so, until no other program has a lock; then hold it.

        Programs in this folder wait, and those on other machines with the same
        catalogue. The lock ends with the process, however it ends.

        Args:
            name: of the lock, and of its file in this folder.
            command: what this program is, for those that wait for it.

        Raises:
            BrokenMachine: the database does not answer.
        """
        here = one_at_a_time(self.root / name, command)
        everywhere = self.catalogue.one_at_a_time(name, command, this_process())
        with here, everywhere:
            yield

    def begin_run(self, command: str) -> int:
        """Record in the catalogue that a command starts; return the run's id."""
        with self.catalogue.write() as connection:
            return self.note_run(connection, command)

    def note_run(self, connection: sa.Connection, command: str) -> int:
        """Do the same as `begin_run`, as part of the caller's transaction."""
        used = redact_settings(self.settings.model_dump(mode="json"))
        settings = json.dumps(used, sort_keys=True)
        return ledger.begin_run(connection, command, settings, __version__)

    def end_run(self, run_id: int) -> None:
        """Record that the command ended."""
        with self.catalogue.write() as connection:
            ledger.end_run(connection, run_id)


def _is_used(catalogue: Catalogue) -> bool:
    """Whether a command ever wrote to a catalogue that has its tables."""
    with catalogue.read() as connection:
        return any(has_rows(connection, sa.select(each.c.id)) for each in (run, image))


def find(start: Path, flags: tuple[str, ...] = ()) -> Workspace:
    """Open the workspace that ``start`` is in, as git finds a repository.

    Raises:
        WrongUse: neither ``start`` nor a folder above it has an ``icf.toml``, or the
            path of the one that has is not UTF-8.
    """
    root = root_of(start)
    if root is None:
        raise WrongUse(
            f"{start.resolve()} is not in an icf workspace (no {CONFIG} here or "
            "above); make one with `icf init DIR`, or name one with -C DIR"
        )
    _check_is_utf8(root)
    return Workspace(root, load(root / CONFIG, flags=flags))


def _check_is_utf8(root: Path) -> None:
    """See that the path can be written down: SQLite and JSON have UTF-8."""
    try:
        str(root).encode("utf-8")
    except UnicodeEncodeError as error:
        raise WrongUse(
            f"the path {root} is not UTF-8; rename it, or name another folder"
        ) from error


def root_of(start: Path) -> Path | None:
    """Return ``start`` or the nearest folder above it with an ``icf.toml``."""
    start = start.resolve()
    return next((f for f in (start, *start.parents) if (f / CONFIG).is_file()), None)


def init(root: Path, flags: tuple[str, ...] = (), *, contact: str = "") -> Workspace:
    """Make a workspace in ``root``, or bring the one there up to date.

    Running it again changes nothing that is already there.

    Args:
        root: the folder.
        flags: settings of this call, as ``--set`` takes them.
        contact: for the User-Agent; written only into a new settings file.

    Raises:
        WrongUse: ``root`` is a file or below one, its path is not UTF-8, or a setting
            is wrong; nothing was made.
        BrokenMachine: nothing can be written there, or its catalogue was lost.
    """
    root = root.resolve()
    if root.exists() and not root.is_dir():
        raise WrongUse(f"{root} is a file; `icf init` needs a folder")
    check_place_of_folder(root)
    _check_is_utf8(root)
    config = root / CONFIG
    _check_settings(root, load(config if config.exists() else None, flags=flags))
    try:
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        if not config.exists():
            # A plain JSON string is a TOML string too.
            first = _FIRST_CONFIG.replace("CONTACT", json.dumps(contact), 1)
            config.write_text(first, encoding="utf-8")
    except OSError as error:
        raise BrokenMachine(
            f"cannot make the workspace {root}: {error.strerror}; "
            "check that you may write there, or name another folder"
        ) from error
    workspace = Workspace(root, load(config, flags=flags))
    workspace.create_catalogue()
    return workspace


def _check_settings(root: Path, loaded: LoadedSettings) -> None:
    """See that its catalogue has a URL; nothing is opened."""
    Workspace(root, loaded)._database().close()
