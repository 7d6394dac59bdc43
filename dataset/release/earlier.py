"""The contents of a release of an earlier version, which wrote no ``contents.csv``.

Its iCartoonFace lists say which file is in which part, with corners in whole pixels;
``licences.csv`` has the SHA-256 of each file, and ``identities.csv`` the names of
labels. Who a distractor is stands nowhere beside its picture.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icf.dataset import contents as parts
from icf.dataset.contents import Contents, texts
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.release.files import SUMS
from icf.dataset.release.sums import read_sums
from icf.errors import BadInput
from icf.icartoonface.detection import read_dettest_csv, read_dettrain_csv
from icf.icartoonface.recognition import read_rectest_info, read_rectrain_det
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.spreadsheet import meant_by
from icf.stores.files import hash_file

#: The label of a distractor, and of what has no identity.
NOBODY = -1
#: What the folder of a label in the training set begins with.
_IDENTITY = "personai_icartoonface_rectrain_"


@dataclass(frozen=True)
class Named:
    """A row of ``identities.csv``."""

    label: int
    role: str
    album: str
    character: str


@dataclass(frozen=True)
class Listed:
    """A face or picture of the lists.

    Attributes:
        part: as in `icf.dataset.contents`.
        folder: of its file, below that of the lists.
        name: of the file, below ``folder``.
        corners: of the face's box, in pixels; nan: there is none.
        label: of the identity.
    """

    part: str
    folder: Path
    name: str
    corners: Sequence[float] = (np.nan,) * 4
    label: int = NOBODY

    @property
    def file(self) -> Path:
        """Its file, below the folder of the lists."""
        return self.folder / self.name


def read_identities(lists: Path) -> list[Named]:
    """Read the names of labels from the folder of iCartoonFace's lists.

    Raises:
        BadInput: the file cannot be read.
    """
    path = lists / IDENTITIES
    return [_named(row, f"{path}: row {n}") for n, row in enumerate(_table(path), 1)]


def _named(row: Mapping[str, str | None], place: str) -> Named:
    try:
        label, role = int(row["label"] or ""), row["role"]
        album, character = row["album"], row["character"]
    except (KeyError, ValueError) as error:
        raise BadInput(f"{place} names no label: {error}") from error
    if role is None or album is None or character is None:
        raise BadInput(f"{place} is cut short")
    return Named(label, role, meant_by(album), meant_by(character))


def has_contents(release: Path, name: str = parts.FILE) -> bool:
    """Whether a release has its ``contents.csv``; those of earlier versions have none.

    Args:
        release: its folder.
        name: another table of the same kind.

    Raises:
        BadInput: it had one once, or another one: rows that are missing at its end
            cannot be told from those that never were there.
    """
    path = release / name
    sums = read_sums(release) if (release / SUMS).is_file() else {}
    there, known = path.is_file(), sums.get(name)
    if known is None or (there and hash_file(path) == known):
        return there
    raise BadInput(
        f"{release} has {'changed' if there else 'lost'} its {name}: restore it "
        f"from a copy; `icf release verify {release}` says what else is wrong"
    )


def contents_of_lists(release: Path, lists: Path) -> Contents:
    """Read what is in which part, as far as lists tell it; the rest is empty.

    Args:
        release: its folder.
        lists: the folder of its iCartoonFace lists, in it.

    Raises:
        BadInput: a file of it is missing or not as it should be.
    """
    rows = list(listed(lists))
    place = lists.relative_to(release)
    sha256 = {row["file"]: row["sha256"] for row in _table(release / LICENCES)}
    files = [(place / each.file).as_posix() for each in rows]
    unknown = [file for file in files if file not in sha256]
    if unknown:
        raise BadInput(f"{release / LICENCES} does not name {unknown[0]}")
    names = {
        each.label: (each.album, each.character) for each in read_identities(lists)
    }
    named = [
        names.get(each.label, ("", "")) if each.label != NOBODY else ("", "")
        for each in rows
    ]
    return dataclasses.replace(
        as_contents(rows),
        sha256=np.array([sha256[file].encode() for file in files], "S64"),
        character=texts([character for _, character in named]),
        album=texts([album for album, _ in named]),
    )


def as_contents(rows: Sequence[Listed]) -> Contents:
    """Return contents of which everything is empty that lists do not say."""
    count = len(rows)
    numbers, empty = np.zeros(count, np.int64), texts([""] * count)
    nothing = np.zeros(count, "S64")
    return Contents(
        part=texts([each.part for each in rows]),
        name=texts([each.name for each in rows]),
        sha256=nothing,
        pixel_hash=nothing,
        phash=numbers,
        dhash=numbers,
        corners=np.array([each.corners for each in rows], np.float64).reshape(-1, 4),
        face_pixel_hash=nothing,
        face_phash=numbers,
        face_dhash=numbers,
        label=np.array([each.label for each in rows], np.int64),
        character=empty,
        album=empty,
        confirmed_by=empty,
        track=empty,
        shot=empty,
        source_file=empty,
        width=numbers,
        height=numbers,
        boxes=empty,
    )


def listed(lists: Path) -> Iterator[Listed]:
    """Yield the faces of the lists of recognition, then the pictures of detection.

    Args:
        lists: the folder of the lists.

    Raises:
        BadInput: a list cannot be read, or a face is in no folder of a label.
    """
    train = read_rectrain_det(lists / RECTRAIN_LIST)
    for path, corners in zip(train.paths, train.boxes.tolist(), strict=True):
        label = path.partition("/")[0].removeprefix(_IDENTITY)
        if not label.isdecimal():
            raise BadInput(
                f"{lists / RECTRAIN_LIST}: {path} is in no folder of a label"
            )
        yield Listed(parts.TRAIN, RECTRAIN_FOLDER, path, corners, int(label))
    test = read_rectest_info(lists / RECTEST_INFO)
    for name, corners, label in zip(
        test.files, test.boxes.tolist(), test.labels.tolist(), strict=True
    ):
        part = parts.PROBE if label >= 0 else parts.DISTRACTOR
        yield Listed(part, RECTEST_FOLDER, name, corners, label)
    detection: Iterable[tuple[str, Path, Sequence[str]]] = (
        (
            parts.DETECTION_TRAIN,
            DETTRAIN_FOLDER,
            read_dettrain_csv(lists / DETTRAIN_BOXES).pictures,
        ),
        (
            parts.DETECTION_TEST,
            DETTEST_FOLDER,
            read_dettest_csv(lists / DETTEST_BOXES).pictures,
        ),
    )
    for part, folder, pictures in detection:
        for name in pictures:
            yield Listed(part, folder, name)


def _table(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
