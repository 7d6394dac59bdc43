"""The new versions of a release's files, without what was withdrawn."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.dataset.cards.again import write_cards_again
from icf.dataset.cards.croissant import FILE as CROISSANT
from icf.dataset.cards.data_card import DATASHEET, README
from icf.dataset.cards.records import FOLDER as RECORDS
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import Contents, write_contents
from icf.dataset.formats.all_formats import write_licences, written_by
from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.beside import CROPS, TURNED, Written, write_beside
from icf.dataset.formats.icartoonface.check import FOLDERS
from icf.dataset.formats.registry import (
    DEFAULT,
    LISTS,
    RELINK,
    format_folders,
    make_writers,
)
from icf.dataset.plan import Placed
from icf.dataset.release.files import CLEANING, LATER, LEAKS, LICENCES, SUMMARY
from icf.dataset.release.sums import files_below, read_sums, write_sums
from icf.dataset.rights.attribution import CSV as ATTRIBUTION
from icf.dataset.rights.attribution import PAGE as ATTRIBUTION_PAGE
from icf.dataset.rights.domains import FILE as DOMAINS
from icf.dataset.stored.data import stored_data
from icf.dataset.stored.pictures import StoredPictures
from icf.dataset.takedowns.lists import write_lists_without
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.takedowns.summary import Numbers, licences_after, write_numbers
from icf.dataset.takedowns.tables import (
    Gone,
    roles_of,
    write_csv_without,
    write_parquet_without,
)
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
)
from icf.images.marks.no_training import no_training
from icf.stores.files import copy_file

#: Formats in the layout of iCartoonFace: rows and files are taken out of them. All
#: others are written again.
LOOSE = (DEFAULT, LISTS, RELINK)
#: Of them, those that have pictures.
_WITH_PICTURES = (DEFAULT, RELINK)

#: The lists of them that look like tables.
_LISTS = (DETTRAIN_BOXES, DETTRAIN_BOXES_BEFORE, DETTEST_BOXES, DETTEST_FOUND)

#: Files that describe all of a release, written again in the end, whatever they are: a
#: hub lets people edit them.
CARDS = (README, DATASHEET, CROISSANT, ATTRIBUTION, ATTRIBUTION_PAGE, DOMAINS)
#: Files that are no format's.
_SHARED = {CONTENTS, LICENCES, CROPS, TURNED, SUMMARY, LEAKS, *CARDS}


class Change:
    """What a cleaning makes of a release.

    Args:
        folder: of the release.
        summary: its ``release.json``.
        contents: its rows.
        hit: which of them go.
        rest: the others, as they will be.
        withdrawn: what is to be deleted.
    """

    def __init__(
        self,
        folder: Path,
        summary: Mapping[str, Any],
        contents: Contents,
        hit: npt.NDArray[np.bool_],
        rest: Contents,
        withdrawn: Withdrawn,
    ) -> None:
        self._folder = folder
        self._summary = summary
        self._contents = contents
        self._removed = contents.take(hit)
        self._rest = rest
        self._sums = read_sums(folder)
        formats = format_folders(summary)
        self._loose = {n: place for n, place in formats.items() if n in LOOSE}
        self._rebuilt = {n: place for n, place in formats.items() if n not in LOOSE}
        files = self._loose_files(self._removed)
        stay = set(rest.sha256.astype("U64").tolist())
        every = set(contents.sha256.astype("U64").tolist())
        removed = self._removed
        places = zip(removed.part.tolist(), removed.name.tolist(), strict=True)
        self._gone = Gone(
            frozenset(files),
            withdrawn.sha256 | (every - stay),
            withdrawn.face_pixel_hash,
            frozenset(places),
            roles_of(rest),
        )

    @cached_property
    def _pictures(self) -> StoredPictures:
        return StoredPictures(self._folder, self._summary, self._contents)

    @cached_property
    def _data(self) -> ReleaseData:
        return stored_data(self._folder, self._summary, self._rest, self._pictures)

    def write(self, new: Path) -> list[str]:
        """Write what differs; return the files that are to be deleted."""
        write_contents(new / CONTENTS, self._rest)
        self._write_lists(new)
        written = self._write_formats(new)
        write_licences(self._data, written, new)
        write_beside(self._data, written, new)
        numbers = Numbers(
            self._folder, self._summary, self._contents, self._rest, self._removed
        )
        licences = licences_after(self._data, self._summary, self._marked())
        summary = write_numbers(new, numbers, licences)
        self._link_the_rest(new)
        hashes = [each.decode() for each in self._data.plan.selection.pictures.sha256]
        sizes = dict(enumerate(self._pictures.sizes(hashes)))
        write_cards_again(new, summary, licences, self._data, written, sizes)
        write_sums(new, self._known(new))
        return self._prune(new)

    # --- iCartoonFace's files and tables ----------------------------------------------

    def _loose_files(self, rows: Contents) -> list[str]:
        pairs = list(zip(rows.part.tolist(), rows.name.tolist(), strict=True))
        return sorted(
            (PurePosixPath(place) / FOLDERS[part].as_posix() / name).as_posix()
            for format_name, place in self._loose.items()
            if format_name in _WITH_PICTURES
            for part, name in pairs
        )

    def _write_lists(self, new: Path) -> None:
        for place in self._loose.values():
            inside = frozenset(
                (FOLDERS[part] / name).as_posix()
                for part, name in zip(
                    self._removed.part.tolist(),
                    self._removed.name.tolist(),
                    strict=True,
                )
            )
            write_lists_without(self._folder / place, new / place, inside)
        for name in self._tables():
            csv = name.endswith(".csv")
            write = write_csv_without if csv else write_parquet_without
            write(self._folder / name, new / name, self._gone_from(name))

    def _gone_from(self, table: str) -> Gone:
        """What leaves a table; one of a format has files relative to the format's."""
        own = [
            PurePosixPath(place)
            for place in self._loose.values()
            if PurePosixPath(table).is_relative_to(place)
        ]
        files = {
            PurePosixPath(name).relative_to(place).as_posix()
            for name in self._gone.files
            for place in own
            if PurePosixPath(name).is_relative_to(place)
        }
        return replace(self._gone, files=self._gone.files | files)

    def _tables(self) -> Iterator[str]:
        """Tables that are neither written anew nor lists or files of a format."""
        lists = {path.name for path in _LISTS}
        for name in self._sums:
            path = PurePosixPath(name)
            is_table = path.suffix in (".csv", ".parquet") and path.name not in lists
            own = name in _SHARED or path.parts[0] == RECORDS
            taken = is_table and not own and not self._is_rebuilt(name)
            if taken and (self._folder / name).is_file():
                yield name

    def _is_rebuilt(self, name: str) -> bool:
        """Whether a file is one of a format that is written again."""
        path = PurePosixPath(name)
        if "." in self._rebuilt.values():
            parts = path.parts
            alone = len(parts) == 1 and path.suffix in (
                ".csv",
                ".json",
                ".pub",
                ".html",
            )
            own = {"identities.csv", "metadata.jsonl", "pairs.txt", "data.yaml"}
            beside = alone and name not in own
            return name not in _SHARED and parts[0] != RECORDS and not beside
        return any(path.is_relative_to(place) for place in self._rebuilt.values())

    # --- formats that are written again -----------------------------------------------

    def _write_formats(self, new: Path) -> Written:
        """Write them; return every picture of all formats, in their order."""
        written: list[tuple[str, WrittenPicture]] = []
        writers = make_writers(self._rebuilt)
        data = self._data
        for name, place in format_folders(self._summary).items():
            if name in LOOSE:
                written += self._as_written(name, place)
                continue
            (new / place).mkdir(parents=True, exist_ok=True)
            mine = replace(data, kept=self._kept(name))
            for each in written_by(writers[name], mine, new / place):
                written.append(((Path(place) / each.file).as_posix(), each))
            data = mine.after(name, new / place)
        return written

    def _kept(self, name: str) -> Any:
        def kept(each: Placed) -> bytes | None:
            return self._pictures.crop(name, each.path.rpartition("/")[2])

        return kept

    def _as_written(
        self, name: str, place: str
    ) -> Iterator[tuple[str, WrittenPicture]]:
        """The pictures of a format whose files stay."""
        if name not in _WITH_PICTURES:
            return
        parts = zip(self._rest.part.tolist(), self._rest.name.tolist(), strict=True)
        for (part, path), each in zip(parts, self._data.plan.placed(), strict=True):
            file = (Path(place) / FOLDERS[part] / path).as_posix()
            crop = self._data.crop(each)
            sha256 = "" if crop is None else self._sums.get(file, "")
            yield file, WrittenPicture(Path(file), each, crop=crop, sha256=sha256)

    # --- the rest ---------------------------------------------------------------------

    def _marked(self) -> int:
        """How many of the pictures that go forbid training on them."""
        gone = set(self._removed.sha256.tolist()) - set(self._rest.sha256.tolist())
        there = [each.decode() for each in gone if self._pictures.has(each.decode())]
        marked = 0
        for each in there:
            with suppress(FileNotFoundError):  # a takedown deleted it before
                marked += no_training(self._pictures.get(each)) is not None
        return marked

    def _link_the_rest(self, new: Path) -> None:
        """Link every file that stays, so that the cards see the whole release."""
        for name in self._sums:
            again = name in CARDS or PurePosixPath(name).parts[0] == RECORDS
            earlier = "cards" not in self._summary and name in (
                *(README, DATASHEET, CROISSANT),
            )
            goes = name in self._gone.files or self._is_rebuilt(name)
            beside = name in (CROPS, TURNED)
            if (again and not earlier) or goes or beside or (new / name).exists():
                continue
            if (self._folder / name).is_file():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                copy_file(self._folder / name, new / name, link=True)

    def _known(self, new: Path) -> dict[str, str]:
        """The hashes of files that are links to those of before."""
        found = {}
        for name in files_below(new):
            old = self._folder / name
            if name in self._sums and old.exists() and old.samefile(new / name):
                found[f"{new}/{name}"] = self._sums[name]
        return found

    def _prune(self, new: Path) -> list[str]:
        """Remove what is as before; return the files that are no more."""
        sums = read_sums(new)
        for name, sha256 in sums.items():
            if self._sums.get(name) == sha256 and (self._folder / name).is_file():
                (new / name).unlink()
        for place, _, _ in os.walk(new, topdown=False):
            if place != os.fspath(new) and not any(Path(place).iterdir()):
                Path(place).rmdir()
        gone = self._sums.keys() - sums.keys() - set(LATER)
        return sorted(each for each in gone if not each.startswith(CLEANING))
