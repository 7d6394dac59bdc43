"""The bytes of a release's pictures, wherever its formats have them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from icf.dataset.contents import DISTRACTOR, PROBE, TRAIN, Contents
from icf.dataset.formats.pairs import faces_of
from icf.dataset.formats.registry import format_folders
from icf.dataset.release.sums import read_sums
from icf.errors import BadInput
from icf.models.data.formats.rec import IDX, REC
from icf.models.data.formats.record_io import read_picture
from icf.stores.files import copy_file
from icf.stores.memory import Memory

#: Formats whose pictures lie in Parquet files.
_PARQUET = ("parquet", "hf")
#: Formats whose crops are scaled.
_SQUARES = ("insightface",)


class Place(Protocol):
    """Where the bytes of a picture are."""

    def read(self) -> bytes:
        """Read them."""


@dataclass(frozen=True, slots=True)
class InFile:
    """A picture that is a file of its own."""

    path: Path

    def read(self) -> bytes:
        """Read it."""
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class InTar:
    """A picture in a shard, whose index says where."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """Read it."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class InRecord:
    """A picture in a file of records."""

    path: Path
    offset: int

    def read(self) -> bytes:
        """Read it."""
        with self.path.open("rb") as file:
            return read_picture(file, self.offset)


@dataclass(frozen=True, slots=True)
class InParquet:
    """A picture in a group of rows, which is kept for the next one."""

    groups: _Groups
    path: Path
    group: int
    row: int

    def read(self) -> bytes:
        """Read it."""
        return self.groups.read(self.path, self.group, self.row)

    @property
    def size(self) -> int:
        """Its bytes, of which no copy is made."""
        return self.groups.size(self.path, self.group, self.row)


class _Groups:
    """The group of rows that was read last: pictures are asked for in their order."""

    def __init__(self) -> None:
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        """Let another process read for itself."""
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin without a group."""
        self._forget()

    def _forget(self) -> None:
        self._key: tuple[Path, int] | None = None
        self._column: Any = None
        self._sizes: list[int] | None = None

    def read(self, path: Path, group: int, row: int) -> bytes:
        return bytes(self._of(path, group)[row].as_py())

    def size(self, path: Path, group: int, row: int) -> int:
        column = self._of(path, group)
        if self._sizes is None:
            self._sizes = pc.binary_length(column).to_pylist()
        return self._sizes[row]

    def _of(self, path: Path, group: int) -> Any:
        if self._key != (path, group):
            with pq.ParquetFile(path) as file:
                table = file.read_row_group(group, columns=["image.bytes"])
            self._column = table["image"].combine_chunks().field("bytes")
            self._key, self._sizes = (path, group), None
        return self._column


class StoredPictures:
    """The pictures of a release by SHA-256, and the crops of each format by name.

    Args:
        folder: of the release.
        summary: its ``release.json``.
        contents: its rows.

    Raises:
        BadInput: an index of its shards cannot be read.
    """

    def __init__(
        self, folder: Path, summary: Mapping[str, Any], contents: Contents
    ) -> None:
        self._folder = folder
        self._contents = contents
        self._crops = "crops" in summary.get("settings", {})
        self._known = set(contents.sha256.tolist())
        self._whole: dict[str, Place] = {}
        self._cut: dict[tuple[str, str], Place] = {}
        self._sums = read_sums(folder)
        for name, sha256 in self._sums.items():
            if sha256.encode() in self._known:
                self._whole.setdefault(sha256, InFile(folder / name))
        self._formats = tuple(format_folders(summary))
        for name, place in format_folders(summary).items():
            try:
                self._look(name, place)
            except (OSError, ValueError, KeyError, pa.ArrowException) as error:
                raise BadInput(
                    f"{folder / place}: its pictures cannot be found: {error}; `icf "
                    f"release verify {folder}` names what is wrong"
                ) from error

    def place(self, sha256: str) -> Place | None:
        """Where a whole picture is; None: it is not there."""
        return self._whole.get(sha256)

    def crop_place(self, name: str) -> Place | None:
        """Where a face of a release with ``--crops`` is cut out; None: nowhere.

        Args:
            name: of the face, the last part of its name in ``contents.csv``.
        """
        for format_name in self._formats:
            found = self._cut.get((format_name, name))
            if found is not None and format_name not in _SQUARES:
                return found
        return None

    def has(self, sha256: str) -> bool:
        """Whether a whole picture is there."""
        return sha256 in self._whole

    def sizes(self, hashes: Sequence[str]) -> list[int]:
        """The bytes of each of some whole pictures; 0: it is not there."""
        found = [0] * len(hashes)
        # A group of rows is read once for all pictures that are asked of it in turn.
        for at in sorted(range(len(hashes)), key=lambda at: self._turn(hashes[at])):
            found[at] = self._size(hashes[at])
        return found

    def _turn(self, sha256: str) -> tuple[str, int, int]:
        place = self._whole.get(sha256)
        if isinstance(place, InParquet):
            return str(place.path), place.group, place.row
        return "", 0, 0

    def _size(self, sha256: str) -> int:
        place = self._whole.get(sha256)
        if isinstance(place, InFile):
            return place.path.stat().st_size if place.path.is_file() else 0
        if isinstance(place, InTar | InParquet):
            return place.size
        return 0 if place is None else len(place.read())

    def get(self, sha256: str) -> bytes:
        """Return the bytes of a whole picture.

        Raises:
            BadInput: they are missing, or others.
        """
        place = self._whole.get(sha256)
        data = b"" if place is None else place.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            lost = "is missing" if place is None else "has changed"
            raise BadInput(
                f"{self._folder}: the picture {sha256} {lost}; `icf release verify "
                f"{self._folder}` names what is wrong"
            )
        return data

    def add_to(self, memory: Memory, sha256: str) -> memoryview:
        """Add the bytes of a whole picture to what ``memory`` holds; return them."""
        return memory.add(self.get(sha256))

    def copy(self, sha256: str, target: Path, *, link: bool = False) -> bytes:
        """Write a whole picture into a new file, linked where it is one already."""
        data = self.get(sha256)
        place = self._whole[sha256]
        if link and isinstance(place, InFile):
            copy_file(place.path, target, link=True)
        else:
            target.write_bytes(data)
        return data

    def crop(self, format_name: str, name: str) -> bytes | None:
        """Return what a format has cut out around a face; None: it has no crop of it.

        Args:
            format_name: whose.
            name: of the face, the last part of its name in ``contents.csv``.
        """
        place = self._cut.get((format_name, name))
        return None if place is None else place.read()

    def _look(self, name: str, place: str) -> None:
        """Find the pictures of one format."""
        if name == "webdataset":
            self._index(place)
        elif name in _PARQUET:
            self._rows(name, place)
        elif name == "insightface":
            self._records(place)
        elif name == "lfw":
            rows = self._contents.rows(PROBE, DISTRACTOR)
            faces = faces_of(self._contents.label[rows].tolist())
            for each, face in zip(self._last(rows), faces, strict=True):
                self._cut[name, each] = InFile(self._folder / place / face.file)
        elif self._crops:
            above = "" if place == "." else f"{place}/"
            for file in self._sums:
                if file.startswith(f"{above}recognition/") and file.endswith(".jpg"):
                    last = file.rpartition("/")[2]
                    self._cut[name, last] = InFile(self._folder / file)

    def _last(self, rows: Any) -> Iterator[str]:
        for name in self._contents.name[rows].tolist():
            yield name.rpartition("/")[2]

    def _index(self, place: str) -> None:
        columns = ["file", "offset", "bytes", "sha256"]
        for path in sorted((self._folder / place).glob("*-*-??????.parquet")):
            table = pq.read_table(path, columns=columns).to_pydict()
            shard = path.with_suffix(".tar")
            task = path.name.partition("-")[0]
            for file, offset, size, sha256 in zip(*table.values(), strict=True):
                found = InTar(shard, offset, size)
                self._note("webdataset", task, file, sha256, found)

    def _rows(self, name: str, place: str) -> None:
        groups = _Groups()
        for task in ("recognition", "detection"):
            for path in sorted((self._folder / place / task).glob("*-of-*.parquet")):
                for group, row, last, sha256 in _rows_of(path):
                    found = InParquet(groups, path, group, row)
                    self._note(name, task, last, sha256, found)

    def _note(self, name: str, task: str, last: str, sha256: str, found: Place) -> None:
        """Note where a format has a picture, or what it has cut out of one."""
        if self._crops and task == "recognition":
            self._cut[name, last] = found
        else:
            self._whole.setdefault(sha256, found)

    def _records(self, place: str) -> None:
        lines = (self._folder / place / IDX).read_text("ascii").splitlines()
        pairs = (line.split("\t") for line in lines)
        offsets = {int(number): int(offset) for number, offset in pairs}
        records = self._folder / place / REC
        rows = self._contents.rows(TRAIN)
        for number, name in enumerate(self._last(rows), 1):
            self._cut["insightface", name] = InRecord(records, offsets[number])


def _rows_of(path: Path) -> Iterator[tuple[int, int, str, str]]:
    """Yield the row group, the row in it, the name and the SHA-256 of each picture."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, ["image.path", "sha256"])
            names = table["image"].combine_chunks().field("path").to_pylist()
            hashes = table["sha256"].to_pylist()
            for row, (name, sha256) in enumerate(zip(names, hashes, strict=True)):
                yield group, row, name, sha256
