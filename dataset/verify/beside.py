"""Check the tables beside the formats: what they say follows from the other tables."""

from __future__ import annotations

import csv
import filecmp
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.cards.records import SCHEMAS, file_of, write_records
from icf.dataset.cards.told import KEY
from icf.dataset.cards.write import write_rights
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import Contents
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.formats.registry import RELINK, format_folders
from icf.dataset.release.files import LICENCES, SUMMARY
from icf.dataset.rights.attribution import CSV as ATTRIBUTION
from icf.dataset.rights.attribution import changes_of
from icf.dataset.rights.domains import FILE as DOMAINS
from icf.dataset.rights.domains import read_domains
from icf.dataset.rights.licence_set import licence_set
from icf.dataset.stored.data import stored_data
from icf.dataset.stored.pictures import StoredPictures
from icf.dataset.verify.cards import check_cards, check_page, is_of_this_version
from icf.dataset.verify.described import check_parts
from icf.dataset.verify.protocol import check_protocol
from icf.errors import BadInput

#: Columns of records that say where a picture is.
_PLACE = ("file", "member")
#: What of the licences' summary is counted, and no sentence.
_COUNTED = ("expression", "pictures", "by_licence", "several")


@dataclass(frozen=True)
class _Release:
    """A release, and what its tables are made from."""

    folder: Path
    summary: Mapping[str, Any]
    hashes: Mapping[str, str]
    data: ReleaseData


def check_beside(
    folder: Path,
    contents: Contents,
    hashes: Mapping[str, str],
    summary: Mapping[str, Any],
    *,
    cards: bool,
) -> Iterator[Fault]:
    """Yield records, attributions and counts that other tables say otherwise.

    Args:
        folder: the release.
        contents: everything that is in a part.
        hashes: the SHA-256 of every file, as it is now.
        summary: its ``release.json``; nothing is checked of an earlier version.
        cards: whether to check what is told of all of it: where something of it is
            wrong, that is told otherwise too.
    """
    if KEY not in summary or LICENCES not in hashes or not contents.width.all():
        return
    try:
        pictures = StoredPictures(folder, summary, contents)
        data = stored_data(folder, summary, contents, pictures)
    except BadInput:
        return  # who reads that table says what is wrong with it
    made = _Release(folder, summary, hashes, data)
    sizes = _sizes(data, pictures) if cards else {}
    with TemporaryDirectory() as beside:
        again = Path(beside)
        tables = write_records(again, data, {})
        domains = write_rights(again, data, sizes, changes_of(summary))
        yield from _records(made, again)
        yield from _rights(made, again, are_sizes_known=bool(sizes))
        if cards:
            yield from check_page(folder, summary, again)
    yield from _licences(made)
    if cards:
        domains = domains if sizes else read_domains(folder)
        yield from check_cards(folder, summary, data, tables, domains)
        if is_of_this_version(summary):
            yield from _parts(made, tables)
    yield from check_protocol(folder, summary, data.plan, hashes)


def _parts(made: _Release, tables: Collection[str]) -> Iterator[Fault]:
    rows = _cells(made.folder / LICENCES, ("file", "member"))
    pictures = {file for file, member in rows if not member}
    # Those that are to be downloaded are not described, and may be there.
    place = format_folders(made.summary).get(RELINK)
    linked = {
        file
        for file in pictures
        if place is not None and PurePosixPath(file).is_relative_to(place)
    }
    hashes = {key: value for key, value in made.hashes.items() if key not in linked}
    return check_parts(made.folder, hashes, pictures - linked, tables)


def _sizes(data: ReleaseData, pictures: StoredPictures) -> dict[int, int]:
    """The bytes of each picture, by its row; none where one is not there."""
    shown = data.plan.selection.pictures.sha256
    try:
        sizes = pictures.sizes([each.decode() for each in shown.tolist()])
    except (OSError, pa.ArrowException, *UNEXPECTED):
        return {}  # who reads that format says what is wrong with it
    return dict(enumerate(sizes)) if all(sizes) else {}


def _records(made: _Release, again: Path) -> Iterator[Fault]:
    known = set(_cells(made.folder / LICENCES, ("file", "member", "sha256")))
    places = {(file, member) for file, member, _ in known}
    for table in SCHEMAS:
        name = file_of(table)
        if name not in made.hashes:
            if (again / name).exists():
                yield Fault(name, MISSING)
            continue
        try:
            found = pq.read_table(made.folder / name)
        except (OSError, pa.ArrowException) as error:
            yield Fault(name, f"cannot be read: {error!r:.200}")
            continue
        place = [each for each in _PLACE if each in found.column_names]
        rest = found.drop_columns(place)
        is_there = (again / name).exists()
        if not is_there or rest != pq.read_table(again / name).drop_columns(place):
            yield Fault(name, f"has other rows than {CONTENTS} gives")
        elif place:
            columns = (*_PLACE, "sha256")
            listed = zip(*(found[each].to_pylist() for each in columns), strict=True)
            for file, member, sha256 in sorted(set(listed) - known):
                # What no format has keeps its own name, and is in no such place.
                if (file, member) in places:
                    what = f"has the picture {sha256} in {file} {member}".rstrip()
                    yield Fault(name, f"{what}, and {LICENCES} has not")


def _rights(made: _Release, again: Path, *, are_sizes_known: bool) -> Iterator[Fault]:
    of_domains = None if are_sizes_known else ("domain", "pictures")
    for name, columns in ((ATTRIBUTION, None), (DOMAINS, of_domains)):
        if name not in made.hashes:
            yield Fault(name, MISSING)
            continue
        if filecmp.cmp(again / name, made.folder / name, shallow=False):
            continue
        meant = Counter(_cells(again / name, columns))
        found = Counter(_cells(made.folder / name, columns))
        for row in sorted((meant - found).elements()):
            yield Fault(name, f"has no row {', '.join(row)}, which {LICENCES} gives")
        for row in sorted((found - meant).elements()):
            yield Fault(
                name, f"has the row {', '.join(row)}, which {LICENCES} gives not"
            )


def _licences(made: _Release) -> Iterator[Fault]:
    said = made.summary.get("licences", {})
    meant = licence_set(made.data.sources.values()).summary()
    for each in _COUNTED:
        if said.get(each) != meant[each]:
            shown = (
                f"{said.get(each)!r} of its licences, and {LICENCES} {meant[each]!r}"
            )
            yield Fault(SUMMARY, f"has the {each} {shown}")


def _cells(path: Path, columns: Sequence[str] | None) -> Iterator[tuple[str, ...]]:
    """Yield some columns of each row of a table; None: all. What it lacks is empty."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        names = columns or rows.fieldnames or ()
        for row in rows:
            yield tuple(row.get(name) or "" for name in names)
