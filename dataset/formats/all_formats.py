"""Write a release in all its formats, with the tables that all of them share."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from pathlib import Path

from icf.dataset.formats.base import ReleaseData, ReleaseWriter, WrittenPicture
from icf.dataset.formats.beside import Written, write_beside
from icf.dataset.formats.registry import OWN, make_writers
from icf.dataset.licences import COLUMNS, FILE, MEMBER, rows
from icf.errors import IcfError
from icf.spreadsheet import write_csv


def write_formats(
    data: ReleaseData, folders: Mapping[str, str], folder: Path
) -> Written:
    """Write the files of every format, and one table of licences for all of them.

    Args:
        data: what to write.
        folders: the folder of each format, relative to the release's.
        folder: the release's.

    Returns:
        Each picture with its file, relative to the folder; of crops and shards too.

    Raises:
        IcfError: a format of another package fails, or writes nothing.
    """
    written: list[tuple[str, WrittenPicture]] = []
    for name, writer in make_writers(folders).items():
        place = folder / folders[name]
        place.mkdir(exist_ok=True)
        above = "" if place == folder else f"{folders[name]}/"
        for each in written_by(writer, data, place):
            written.append((f"{above}{each.file.as_posix()}", each))
        if not any(place.iterdir()):
            raise IcfError(
                f"the release format {name!r} has written nothing; repair its package, "
                "or leave the format out"
            )
        data = data.after(name, place)
    write_licences(data, written, folder)
    write_beside(data, written, folder)
    return written


def written_by(
    writer: ReleaseWriter, data: ReleaseData, folder: Path
) -> Iterator[WrittenPicture]:
    """Let a format write its files, and yield each picture with its file.

    Raises:
        IcfError: it is of another package, and raises something, or yields a file that
            it has not written below the folder.
    """
    if writer.name in OWN:
        yield from writer.write(data, folder)
        return
    try:
        for each in writer.write(data, folder):
            outside = each.file.is_absolute() or ".." in each.file.parts
            if outside or not (folder / each.file).is_file():
                raise IcfError(
                    f"the release format {writer.name!r} names the file {each.file}, "
                    "and has not written it into the release; repair its package"
                )
            yield each
    except IcfError:
        raise
    except Exception as error:  # another package may raise anything
        if isinstance(error, OSError) and error.errno != errno.ENOENT:
            raise  # it is the machine's, as a full disk
        raise IcfError(
            f"the release format {writer.name!r} failed: {type(error).__name__}: "
            f"{error}; repair its package (--verbose shows where)"
        ) from error


def write_licences(data: ReleaseData, written: Written, folder: Path) -> None:
    """Write the sources of each picture; with its name in a file that holds many."""
    image = data.plan.selection.pictures.image
    with_members = any(each.member for _, each in written)
    columns = (*COLUMNS, MEMBER) if with_members else COLUMNS
    table = (
        (*row, each.member) if with_members else row
        for file, each in written
        for row in rows(
            file,
            data.sha256(each.placed.picture),
            data.sources[int(image[each.placed.picture])],
        )
    )
    write_csv(folder / FILE, columns, table)
