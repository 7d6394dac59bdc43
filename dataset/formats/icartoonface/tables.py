"""Check the tables of faces that people did not confirm against the contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.checks.identities import Row, differences, read_rows
from icf.icartoonface.release_files import ACCEPTED, FOLLOWERS, UNASKED

#: The table of the faces that people did not confirm themselves, by who did.
LISTS = {"reference": UNASKED, "model": ACCEPTED, "track": FOLLOWERS}


def check_unconfirmed(
    files: ReleaseFiles, folders: Mapping[str, Path]
) -> Iterator[Fault]:
    """Yield how the tables of faces differ that nobody was asked about."""
    contents = files.contents
    who = contents.confirmed_by.tolist()
    for by, path in LISTS.items():
        rows = [row for row, each in enumerate(who) if each == by]
        name = path.as_posix()
        if name not in files.hashes:
            if rows:
                yield Fault(name, MISSING)
            continue
        columns = ("file", "character", "album")
        found = read_rows(files.folder / path, columns)
        if found is None:
            yield Fault(name, f"is no table with the columns {', '.join(columns)}")
            continue
        expected: Counter[Row] = Counter(
            (
                (folders[contents.part[row]] / contents.name[row]).as_posix(),
                contents.character[row],
                contents.album[row],
            )
            for row in rows
        )
        yield from differences(name, expected, found)
