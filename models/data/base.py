"""What a reader of training data gives.

A reader streams pictures with their faces, and says of each that it leaves out, why.
The trainer knows no format: it takes `LabelledPicture` and asks the reader for bytes.

A new kind of data is one file with a class here and a line in `icf.models.data.spec`,
or a class in another package with an entry point of the group ``icf.training_data``.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

Kind = Literal["cartoon", "human"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelledFace:
    """A face of a picture.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the upright picture; x2 and y2 are exclusive.
            None: the whole picture is a crop of the face, enlarged already.
        kind: a drawn face or a photographed one.
        identity: whose face it is, unique within the reader; None: not known.
        not_identities: identities that people said it is not.
        ignored: neither a face to find nor background: too small, hidden, a crowd.
    """

    box: Box | None
    kind: Kind = "cartoon"
    identity: str | None = None
    not_identities: tuple[str, ...] = ()
    ignored: bool = False


@dataclass(frozen=True)
class LabelledPicture:
    """A picture of the training data.

    Attributes:
        key: names it within the reader, and is what `Reader.read` takes.
        faces: what is labelled in it.
        complete: all its faces are labelled, so that the rest of it is background.
        checked: people looked at the boxes; False: they are a detector's own.
        group: pictures of one group (a near-duplicate, a book, a video) must not be
            divided between training and held-out data.
        size: width and height that the source says it has; None: it does not say. A
            picture of another size is left out: its boxes would be elsewhere.
    """

    key: str
    faces: tuple[LabelledFace, ...]
    complete: bool = False
    checked: bool = True
    group: str = ""
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Skipped:
    """What a reader left out, and why.

    Attributes:
        where: file and line, or the picture's key; empty for many at once.
        reason: a sentence's end, such as "no such picture" or "a box without area".
        count: how many were left out.
    """

    where: str
    reason: str
    count: int = 1


@dataclass(frozen=True)
class Reader(ABC):
    """One source of training data; a small picklable value: worker processes get it.

    A reader whose source does not say whether its faces are drawn has a second field,
    ``domain: Kind``, with what is usual for its kind as the default.

    Attributes:
        kind: how the kind of data is called in ``--data KIND:PATH``.
        path: its folder or file, as given by the user.
    """

    kind: ClassVar[str]

    path: Path

    @property
    def name(self) -> str:
        """As given by the user, ``KIND:PATH``."""
        return f"{self.kind}:{self.path}"

    @property
    def licence(self) -> str:
        """The licence of the data, as far as the source says it; "" where not."""
        return ""

    @abstractmethod
    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream pictures, in an order that does not depend on the machine.

        Raises:
            BadInput: the source is not what its kind promises.
        """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return the bytes of a picture, as stored.

        Raises:
            BadInput: it cannot be read.
        """

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of the bytes of a picture.

        Raises:
            BadInput: it cannot be read.
        """
        return hashlib.sha256(self.read(key)).hexdigest()

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a text that changes when the data changes; fast, reads no picture."""

    def pictures_fingerprint(self) -> str:
        """Return a text that changes when a key may stand for other bytes than before.

        Crops and reduced pictures are cached under it. A reader whose keys are hashes
        of the bytes returns a constant, so that new labels cost no new crops.
        """
        return self.fingerprint()
