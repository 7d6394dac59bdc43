"""One folder an identity, as CASIA-WebFace and WebFace are handed on.

::

    DIR/0000045/001.jpg         identity 0000045
    DIR/0/0_12/3.jpg            identity 0/0_12, however deep

Each picture is a crop of one face, with as much around it as the data has. Nothing says
whether faces are drawn: they are, unless the user writes ``folders+human:DIR``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from icf.errors import BadInput
from icf.models.data.base import Kind, LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.picture_files import picture_files, read_file, state_of
from icf.names import normal_name
from icf.own_files import walk


@dataclass(frozen=True)
class FoldersReader(Reader):
    """Reads a folder of folders.

    Attributes:
        domain: whether the faces are drawn.
    """

    kind: ClassVar[str] = "folders"

    domain: Kind = "cartoon"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures, by folder and name.

        Raises:
            BadInput: it is no folder.
        """
        if not self.path.is_dir():
            raise BadInput(f"{self.name}: {self.path} is not a folder")
        for key in picture_files(self.path):
            if isinstance(key, Skipped):
                yield key
                continue
            folder, _, _ = key.rpartition("/")
            if not folder:
                yield Skipped(key, "in no folder of an identity")
                continue
            face = LabelledFace(None, self.domain, normal_name(folder))
            yield LabelledPicture(key, (face,))

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path / key)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of all files."""
        return state_of(self.path, walk(self.path))
