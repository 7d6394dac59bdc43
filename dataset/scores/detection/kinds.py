"""What is known of the pictures of a test, by which they are scored apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from icf.dataset.contents import DETECTION_TEST, FACES, FILE, Contents, read_contents
from icf.dataset.release.earlier import has_contents
from icf.dataset.release.files import ATTRIBUTES
from icf.dataset.scores.detection.of_release import ReleaseTest
from icf.errors import BadInput
from icf.names import normal_name
from icf.spreadsheet import BadRow, TableRow, meant_by, read_table
from icf.text_file import open_text

#: Where the faces of a picture differ.
SEVERAL = "several"

Kinds = Mapping[str, tuple[str, ...]]


def read_kinds(path: Path, pictures: tuple[str, ...]) -> Kinds:
    """Read a table: ``picture`` first, then a column a kind.

    Raises:
        BadInput: It is no such table, has two columns of one name, or names a picture
            that the truth does not have, or one twice.
    """
    header, rows = _table(path)
    if len(header) < 2:
        raise BadInput(
            f"{path}: expected a header picture,NAME,... and a row a picture"
        )
    first, *names = header
    twice = [name for name, number in Counter(header).items() if number > 1]
    if twice:
        raise BadInput(f"{path}: two columns are called {twice[0]!r}")
    index = {normal_name(name): n for n, name in enumerate(pictures)}
    lines: dict[int, int] = {}
    values = {name: [""] * len(pictures) for name in names}
    for row in rows:
        place = index.get(normal_name(row.cells[first]))
        if place is None:
            raise BadInput(
                f"{path}, line {row.line}: expected a picture of the truth, "
                f"found {row.cells[first]!r}"
            )
        if lines.setdefault(place, row.line) != row.line:
            raise BadInput(
                f"{path}, line {row.line}: {row.cells[first]!r} again, as in line "
                f"{lines[place]}"
            )
        for name in names:
            values[name][place] = row.cells[name]
    return {name: tuple(some) for name, some in values.items()}


def kinds_of_release(test: ReleaseTest, pictures: tuple[str, ...]) -> Kinds:
    """What a release knows of the pictures of its detection test.

    Returns:
        The album, region and style of the characters on each, as far as the release has
        their faces, and the video or book it was cut from; what no picture has is left
        out.

    Raises:
        BadInput: A table of the release cannot be read.
    """
    if not has_contents(test.root):  # it is of an earlier version
        return {}
    contents = read_contents(test.root / FILE)
    faces = contents.take(contents.rows(*FACES))
    shown = contents.take(contents.rows(DETECTION_TEST))
    sha256 = dict(zip(shown.name.tolist(), shown.sha256.tolist(), strict=True))
    sources = dict(zip(shown.name.tolist(), shown.source_file.tolist(), strict=True))
    albums = _alike(zip(faces.sha256.tolist(), faces.album.tolist(), strict=True))
    said = _said(test.root / ATTRIBUTES, faces)
    of_album = {
        name: _alike((sha256, cells.get(name, "")) for sha256, cells in said)
        for name in ("region", "style")
    }
    shas = [sha256.get(name) for name in pictures]
    found = {
        "album": tuple(albums.get(each, "") for each in shas),
        **{
            name: tuple(values.get(each, "") for each in shas)
            for name, values in of_album.items()
        },
        "source_file": tuple(sources.get(name, "") for name in pictures),
    }
    return {name: some for name, some in found.items() if any(some)}


def _alike(rows: Iterable[tuple[object, str]]) -> dict[object, str]:
    """The value of each key; `SEVERAL` where it has several."""
    found: defaultdict[object, set[str]] = defaultdict(set)
    for key, value in rows:
        if value:
            found[key].add(value)
    return {
        key: min(some) if len(some) == 1 else SEVERAL for key, some in found.items()
    }


def _said(path: Path, faces: Contents) -> list[tuple[object, Mapping[str, str]]]:
    """What is said of faces, by the SHA-256 of their pictures."""
    if not path.is_file():
        return []
    names = zip(faces.part.tolist(), faces.name.tolist(), strict=True)
    sha256 = dict(zip(names, faces.sha256.tolist(), strict=True))
    header, rows = _table(path)
    if not {"part", "name", "region"} <= set(header):
        raise BadInput(f"{path}: expected the columns part, name and region")
    return [
        (sha256[key], row.cells)
        for row in rows
        if (key := (row.cells["part"], meant_by(row.cells["name"]))) in sha256
    ]


def _table(path: Path) -> tuple[tuple[str, ...], list[TableRow]]:
    try:
        table = read_table(open_text(path))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    if table is None:
        return (), []
    rows = []
    for row in table.rows():
        if isinstance(row, BadRow):
            raise BadInput(f"{path}, {row}")
        rows.append(row)
    return table.header, rows
