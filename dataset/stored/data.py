"""What a release was written from, made of its own files.

The writers of formats take it as they take a plan, so that a format can be written
again: without some pictures, with the same names for all others.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from icf.dataset.boxes import Box
from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    FACES,
    PROBE,
    TRAIN,
    Contents,
)
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.beside import TURNED
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.formats.checked import rate_of
from icf.dataset.formats.layouts import NO_ALBUM
from icf.dataset.formats.registry import format_folders
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.licences import Source
from icf.dataset.near_duplicates import Hashes
from icf.dataset.plan import Placed, Plan
from icf.dataset.release.sums import read_sums
from icf.dataset.rights.attribution import CSV as ATTRIBUTION
from icf.dataset.selection import Identity, Pictures, SelectedFaces, Selection
from icf.dataset.splits.parts import Splits
from icf.dataset.stored.pictures import StoredPictures
from icf.errors import BadInput
from icf.icartoonface.release_files import IDENTITIES
from icf.spreadsheet import meant_by
from icf.stores.blobs import BlobStore

Name = tuple[str, str]
_SOURCE = ("url", "page", "licence", "licence_url", "licence_from", "author")


@dataclass(frozen=True, eq=False)
class StoredPlan(Plan):
    """A plan whose parts, names and labels are those that are written.

    Attributes:
        placed_in: everything of each part, in the order of the contents.
        numbers: the label of each identity.
    """

    placed_in: Mapping[str, tuple[Placed, ...]] | None = None
    numbers: Mapping[int, int] | None = None

    @cached_property
    def labels(self) -> dict[int, int]:
        """The label of each identity, as it is written."""
        return dict(self.numbers or {})

    @cached_property
    def train(self) -> tuple[Placed, ...]:
        """As it is written."""
        return self._of(TRAIN)

    @cached_property
    def test(self) -> tuple[Placed, ...]:
        """As it is written."""
        return self._of(PROBE) + self._of(DISTRACTOR)

    @cached_property
    def detection_train(self) -> tuple[Placed, ...]:
        """As it is written."""
        return self._of(DETECTION_TRAIN)

    @cached_property
    def detection_test(self) -> tuple[Placed, ...]:
        """As it is written."""
        return self._of(DETECTION_TEST)

    def _of(self, part: str) -> tuple[Placed, ...]:
        return (self.placed_in or {}).get(part, ())


def stored_data(
    folder: Path,
    summary: Mapping[str, Any],
    contents: Contents,
    pictures: StoredPictures,
) -> ReleaseData:
    """Make what the formats of a release can be written from.

    Args:
        folder: of the release.
        summary: its ``release.json``.
        contents: the rows that are to be written: all, or some of its own.
        pictures: its pictures.

    Raises:
        BadInput: its licences, or the books of Manga109, cannot be read.
    """
    plan = _plan(folder, summary, contents)
    sums = read_sums(folder)
    sha256 = [each.decode() for each in plan.selection.pictures.sha256.tolist()]
    sources = _sources(folder)
    number = {each: row for row, each in enumerate(sha256)}
    return ReleaseData(
        plan,
        {row: tuple(sources.get(each, ())) for row, each in enumerate(sha256)},
        cast(BlobStore, pictures),
        _no_vectors,
        link=True,
        turned={
            number[each]: turned
            for each, turned in _turned(folder).items()
            if each in number
        },
        books={
            number[each]: title
            for each, title in _books(folder, summary, sums).items()
            if each in number
        },
    )


def _books(
    folder: Path, summary: Mapping[str, Any], sums: Mapping[str, str]
) -> dict[str, str]:
    """The album of each page of Manga109's books, by SHA-256.

    Raises:
        BadInput: a book cannot be read.
    """
    place = format_folders(summary).get("manga109")
    found: dict[str, str] = {}
    if place is None:
        return found
    for path in sorted((folder / place).glob("t*/annotations/*.xml")):
        try:
            book = ElementTree.parse(path).getroot()
            title = book.attrib["title"]
            pages = [int(page.attrib["index"]) for page in book.iter("page")]
        except (ElementTree.ParseError, OSError, KeyError, ValueError) as error:
            raise BadInput(f"{path} cannot be read: {error!r}") from error
        images = path.parents[1] / "images" / path.stem
        for page in pages:
            image = images / f"{page:03d}.jpg"
            sha256 = sums.get(image.relative_to(folder).as_posix(), "")
            found[sha256] = "" if title == NO_ALBUM else title
    return found


def _no_vectors(faces: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    raise NotImplementedError("features are cut out of the file that has them")


def _plan(folder: Path, summary: Mapping[str, Any], contents: Contents) -> StoredPlan:
    rows = contents.rows(*FACES)
    names: list[Name] = list(
        zip(
            contents.album[rows].tolist(),
            contents.character[rows].tolist(),
            strict=True,
        )
    )
    ids = _ids(folder, summary, names)
    unique, first, picture = np.unique(
        contents.sha256, return_index=True, return_inverse=True
    )
    identity = np.array([ids[each] for each in names], np.int64)
    faces = SelectedFaces(
        face=np.arange(1, len(rows) + 1),
        identity=identity,
        album=np.zeros(len(rows), np.int64),
        picture=picture[rows],
        corners=contents.corners[rows],
        pixel_hash=contents.face_pixel_hash[rows],
        hashes=Hashes(contents.face_phash[rows], contents.face_dhash[rows]),
    )
    boxes = _boxes(contents, rows, picture, len(unique))
    shown = _pictures(contents, unique, first, boxes)
    identities = {
        number: Identity(number, character, 0, album)
        for (album, character), number in ids.items()
    }
    models = summary.get("models", {})
    selection = Selection(
        faces,
        shown,
        identities,
        str(models.get("embedder", {}).get("sha256", "")),
        (),
        {},
        {},
    )
    labels = zip(identity.tolist(), contents.label[rows].tolist(), strict=True)
    numbers = {who: label for who, label in labels if label >= 0}
    return StoredPlan(
        selection,
        _splits(contents, rows),
        crops=rate_of(summary),
        placed_in=_placed(contents, rows, picture),
        numbers=dict(sorted(numbers.items(), key=lambda each: each[1])),
    )


def _pictures(
    contents: Contents,
    unique: npt.NDArray[np.bytes_],
    first: npt.NDArray[np.int64],
    boxes: Sequence[tuple[Box, ...]],
) -> Pictures:
    """The pictures by their SHA-256, each as its first row has it."""
    return Pictures(
        image=np.arange(len(unique)),
        sha256=unique,
        pixel_hash=contents.pixel_hash[first],
        hashes=Hashes(contents.phash[first], contents.dhash[first]),
        format=tuple(str(each).rpartition(".")[2] for each in contents.name[first]),
        size=np.stack([contents.width[first], contents.height[first]], axis=1),
        boxes=boxes,
        complete=np.zeros(len(unique), np.bool_),
        detected=((),) * len(unique),
    )


def _splits(contents: Contents, rows: npt.NDArray[np.int64]) -> Splits:
    place = np.full(len(contents), -1, np.int64)
    place[rows] = np.arange(len(rows))
    train, probes, distractors = (place[contents.rows(part)] for part in FACES)
    nothing = np.empty(0, np.int64)
    why = np.full(len(rows), -1, np.int64)
    return Splits(train, probes, distractors, nothing, nothing, why)


def _placed(
    contents: Contents, rows: npt.NDArray[np.int64], picture: npt.NDArray[np.int64]
) -> dict[str, tuple[Placed, ...]]:
    face = np.full(len(contents), -1, np.int64)
    face[rows] = np.arange(len(rows))
    found: dict[str, list[Placed]] = {}
    for part, *placed in zip(
        contents.part.tolist(),
        contents.name.tolist(),
        picture.tolist(),
        face.tolist(),
        contents.label.tolist(),
        strict=True,
    ):
        found.setdefault(part, []).append(Placed(*placed))
    return {part: tuple(some) for part, some in found.items()}


def _boxes(
    contents: Contents,
    rows: npt.NDArray[np.int64],
    picture: npt.NDArray[np.int64],
    count: int,
) -> Sequence[tuple[Box, ...]]:
    """The true boxes of each picture; those with a face of the same split know it."""
    split = {part: "test" if part in (PROBE, DISTRACTOR) else "train" for part in FACES}
    faces = {
        (split[contents.part[row]], contents.name[row]): number
        for number, row in enumerate(rows.tolist(), 1)
    }
    found: list[tuple[Box, ...]] = [()] * count
    for part, name in ((DETECTION_TRAIN, "train"), (DETECTION_TEST, "test")):
        for row in contents.rows(part).tolist():
            found[picture[row]] = tuple(
                Box(faces.get((name, each.face)), each.corners, 1.0)
                for each in boxes_in(contents.boxes[row])
            )
    return found


def _ids(
    folder: Path, summary: Mapping[str, Any], names: Sequence[Name]
) -> dict[Name, int]:
    """A number of each identity: that of its catalogue, where a table has it."""
    found: dict[Name, int] = {}
    for place in format_folders(summary).values():
        for name in (IDENTITIES.as_posix(), IDENTITIES.name):
            path = folder / place / name
            for row in _table(path) if not found and path.is_file() else ():
                who = meant_by(row["album"]), meant_by(row["character"])
                found[who] = int(row["character_id"])
    following = max(found.values(), default=0) + 1
    for each in sorted(set(names) - found.keys()):
        found[each], following = following, following + 1
    wanted = set(names)
    return {name: number for name, number in found.items() if name in wanted}


def _sources(folder: Path) -> dict[str, list[Source]]:
    """Where each picture was found, by SHA-256: the rows of its first file."""
    first: dict[str, tuple[str, str]] = {}
    found: dict[str, list[Source]] = {}
    for row in _table(folder / LICENCES):
        key = row["file"], row.get("member") or ""
        if first.setdefault(row["sha256"], key) == key:
            source = Source(*(meant_by(row[name]) for name in _SOURCE))
            found.setdefault(row["sha256"], []).append(source)
    _add_attributed(folder, found)
    nothing = [Source("", "", "unknown", "", "unknown", "")]
    return {each: [] if some == nothing else some for each, some in found.items()}


def _add_attributed(folder: Path, found: dict[str, list[Source]]) -> None:
    """Add the sources of pictures that no format has, and that are attributed."""
    if not (folder / ATTRIBUTION).is_file():
        return
    known = found.keys() | set()
    for row in _table(folder / ATTRIBUTION):
        if row["sha256"] not in known:
            cells = (meant_by(row.get(name, "")) for name in _SOURCE)
            found.setdefault(row["sha256"], []).append(Source(*cells))


def _turned(folder: Path) -> dict[str, int]:
    """The EXIF orientation of each picture that has one, by SHA-256."""
    if not (folder / TURNED).is_file():
        return {}
    turned = {
        (row["file"], row["member"]): int(row["orientation"])
        for row in _table(folder / TURNED)
    }
    return {
        row["sha256"]: turned[key]
        for row in _table(folder / LICENCES)
        if (key := (row["file"], row.get("member") or "")) in turned
    }


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
