"""What a release format is: one class that writes a planned release into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from icf.dataset.licences import Source
from icf.dataset.plan import Plan
from icf.stores.blobs import BlobStore


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
        copied: the files that `put` made, with their SHA-256.
    """

    plan: Plan
    sources: Mapping[int, Sequence[Source]]
    blobs: BlobStore
    vectors: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
    link: bool = False
    copied: dict[Path, str] = field(default_factory=dict)

    def sha256(self, picture: int) -> str:
        """The SHA-256 of a picture, by its row in ``plan.selection.pictures``."""
        return str(self.plan.selection.pictures.sha256[picture].decode())

    def put(self, picture: int, target: Path) -> None:
        """Write a picture's bytes, and check them against their hash.

        Args:
            picture: its row in ``plan.selection.pictures``.
            target: the file to make; its folder must exist.

        Raises:
            MissingBlob: the bytes are not in the blob store, or are others.
        """
        sha256 = self.sha256(picture)
        self.blobs.copy(sha256, target, link=self.link)
        self.copied[target] = sha256


@dataclass(frozen=True)
class WrittenPicture:
    """A picture in a file of the release; `licences.csv` gets its sources.

    Attributes:
        file: the file that holds it, relative to the writer's folder.
        picture: its row in ``plan.selection.pictures``.
    """

    file: Path
    picture: int


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
