"""What a release format is: one class that writes a planned release into a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from icf.dataset.formats.crops import Rectangle, crop_rectangle, cut
from icf.dataset.licences import Source
from icf.dataset.plan import Placed, Plan
from icf.images.header import orientation_of
from icf.stores.blobs import BlobStore
from icf.stores.files import copy_file
from icf.stores.memory import Memory

#: What a format holds.
Task = Literal["recognition", "detection"]

Corners = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class ReleaseData:
    """Everything that a writer may write.

    Attributes:
        plan: which picture and face is in which split, with names, labels and boxes.
        sources: where each picture was found and its licences, by image id.
        blobs: the pictures' bytes, by SHA-256.
        vectors: returns the embeddings of some face ids, shape (n, d), float32, each
            of length 1.
        link: whether `put` makes hard links to the blob store instead of copies.
        hashes: the SHA-256 of files that need not be read again for it, by path.
        earlier: the folders of the formats that were written before in this release.
        turned: the EXIF orientation, 2 to 8, of the pictures written so far that need
            to be turned, by their row in ``plan.selection.pictures``.
        cropped: the SHA-256 of the crops written so far, by the row of their face.
        kept: what a format has cut out around a face before, where a release is written
            again; None: nothing.
        books: the album of each picture, by its row, where a release is written again;
            None: that of its first face.
    """

    plan: Plan
    sources: Mapping[int, Sequence[Source]]
    blobs: BlobStore
    vectors: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
    link: bool = False
    hashes: dict[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Path] = field(default_factory=dict)
    turned: dict[int, int] = field(default_factory=dict)
    cropped: dict[int, bytes] = field(default_factory=dict)
    kept: Callable[[Placed], bytes | None] = lambda _: None
    books: Mapping[int, str] | None = None
    #: Loose files by what is in them: of earlier formats, and of this one.
    _before: Mapping[int, str] = field(default_factory=dict)
    _now: dict[int, str] = field(default_factory=dict)

    def after(self, name: str, folder: Path) -> ReleaseData:
        """Return what the next format gets: the loose files so far can be linked to.

        Args:
            name: of the format that was written.
            folder: that it was written into.
        """
        return replace(
            self,
            earlier={**self.earlier, name: folder},
            _before={**self._now, **self._before},
            _now={},
        )

    def as_crops(self, rate: float) -> ReleaseData:
        """Return the same release with crops, for a format that has nothing else.

        Args:
            rate: how far boxes are enlarged, where the release has whole pictures.
        """
        if self.plan.crops is not None:
            return self
        return replace(self, plan=replace(self.plan, crops=rate))

    def sha256(self, picture: int) -> str:
        """The SHA-256 of a picture, by its row in ``plan.selection.pictures``."""
        return str(self.plan.selection.pictures.sha256[picture].decode())

    def put(self, each: Placed, folder: Path, file: Path) -> WrittenPicture:
        """Write a picture, or with ``--crops`` what is cut out around its face.

        A file that an earlier format of the release has already is linked to, where
        the disk can. The bytes of a whole picture are checked against their hash.

        Args:
            each: a member of ``plan.train``, ``test``, ``detection_train`` or
                ``detection_test``.
            folder: the writer's.
            file: to make, relative to it; its own folder must exist.

        Returns:
            What `ReleaseWriter.write` returns for it.

        Raises:
            MissingBlob: the bytes are not in the blob store, or are others.
        """
        target = f"{folder}/{file}"  # a `Path` takes as long as the copy of its bytes
        crop = self.crop(each)
        key = each.picture if crop is None else -1 - each.face
        self._now[key] = target
        if (first := self._before.get(key)) is not None:
            copy_file(Path(first), Path(target), link=True)
            self.hashes[target] = self.hashes[first]
        elif crop is None:
            sha256 = self.sha256(each.picture)
            self._look(each, self.blobs.copy(sha256, target, link=self.link))
            self.hashes[target] = sha256
        else:
            data = self.read(each)
            Path(target).write_bytes(data)
            self.hashes[target] = self.cropped[each.face].hex()
        return WrittenPicture(file, each, crop=crop)

    def read(self, each: Placed) -> bytes:
        """Return the bytes that `put` writes.

        Raises:
            MissingBlob: the bytes are not in the blob store, or are others.
        """
        crop = self.crop(each)
        key = each.picture if crop is None else -1 - each.face
        if crop is not None and (first := self._before.get(key)) is not None:
            return Path(first).read_bytes()  # cutting again would cost more
        if crop is not None:
            data = self.kept(each) or cut(self._content(each), crop)
            self.cropped[each.face] = hashlib.sha256(data).digest()
            return data
        data = self._content(each)
        self._look(each, data)
        return data

    def read_to(self, memory: Memory, each: Placed) -> memoryview:
        """Add the bytes that `put` writes to ``memory``; return them.

        Raises:
            MissingBlob: the bytes are not in the blob store, or are others.
        """
        if self.plan.crops is not None and each.face >= 0:
            return memory.add(self.read(each))
        content = self.blobs.add_to(memory, self.sha256(each.picture))
        self._look(each, content)
        return content

    def _content(self, each: Placed) -> bytes:
        return self.blobs.get(self.sha256(each.picture))

    def crop(self, each: Placed) -> Rectangle | None:
        """What is cut out around a face; None where pictures are whole."""
        rate = self.plan.crops
        if rate is None or each.face < 0:
            return None
        corners = self.plan.selection.faces.corners[each.face].tolist()
        return crop_rectangle(corners, self._size(each), rate)

    def size(self, each: Placed) -> tuple[int, int]:
        """Width and height of what `put` writes, upright: after EXIF rotation."""
        crop = self.crop(each)
        return self._size(each) if crop is None else (crop.width, crop.height)

    def box(self, each: Placed) -> Corners:
        """The labelled face in what `put` writes: x1, y1, x2, y2 in whole pixels."""
        x1, y1, x2, y2 = self._whole[each.face].tolist()
        crop = self.crop(each)
        if crop is None:
            return x1, y1, x2, y2
        return x1 - crop.x1, y1 - crop.y1, x2 - crop.x1, y2 - crop.y1

    def boxes(self, each: Placed) -> list[Corners]:
        """The true boxes of a picture of the detection set, in whole pixels."""
        size = self._size(each)
        boxes = self.plan.selection.pictures.boxes[each.picture]
        return [whole_corners(box.corners, size) for box in boxes]

    def turn_of(self, each: Placed) -> int:
        """The EXIF orientation of what `put` or `read` gave last; 1: upright."""
        return self.turned.get(each.picture, 1) if self.crop(each) is None else 1

    @cached_property
    def _whole(self) -> npt.NDArray[np.int32]:
        """The corners of each face in whole pixels, as `whole_corners` rounds one."""
        faces, pictures = self.plan.selection.faces, self.plan.selection.pictures
        size = np.tile(pictures.size[faces.picture], 2)
        return np.clip(np.rint(faces.corners), 0, size).astype(np.int32)

    def _size(self, each: Placed) -> tuple[int, int]:
        width, height = self.plan.selection.pictures.size[each.picture].tolist()
        return width, height

    def _look(self, each: Placed, data: bytes | memoryview) -> None:
        """Note a picture that readers without EXIF rotation would show turned."""
        turned = orientation_of(data)
        if turned != 1:
            self.turned[each.picture] = turned


def whole_corners(corners: Sequence[float], size: tuple[int, int]) -> Corners:
    """Round corners to whole pixels inside a picture, as every format has them.

    >>> whole_corners((-2.0, 1.6, 9.4, 30.0), (20, 12))
    (0, 2, 9, 12)
    """
    width, height = size
    x1, y1, x2, y2 = map(round, corners)
    return (
        min(max(x1, 0), width),
        min(max(y1, 0), height),
        min(max(x2, 0), width),
        min(max(y2, 0), height),
    )


class WrittenPicture(NamedTuple):
    """A picture in a file of the release; `licences.csv` gets its sources.

    Attributes:
        file: the file that holds it, relative to the writer's folder.
        placed: which picture, and which face of it.
        member: its name in the file, where that holds several pictures.
        crop: the part of it that was cut out; None: all of it, as fetched.
        sha256: of a crop that a format made itself; empty: as `ReleaseData` made it.
    """

    file: Path
    placed: Placed
    member: str = ""
    crop: Rectangle | None = None
    sha256: str = ""


class ReleaseWriter(Protocol):
    """Writes a release in one format."""

    #: As `icf-build-splits --format` has it.
    name: ClassVar[str]
    #: What it writes, in one line.
    help: ClassVar[str]

    def write(self, data: ReleaseData, folder: Path) -> Iterable[WrittenPicture]:
        """Write everything of this format; return each picture that was written.

        The same data must give the same bytes. `contents.csv`, `licences.csv`,
        `leaks.json`, `release.json` and `SHA256SUMS` are written for all formats alike,
        and not by a writer.

        Args:
            data: what to write.
            folder: an existing folder to write into; it gets its final name later,
                after all of it is on the disk.

        Raises:
            BrokenMachine: a picture's bytes or a face's embedding are missing.
        """
        ...
