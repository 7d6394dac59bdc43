"""The drawn pictures as training data: whose they are, and that they are there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from icf.errors import BadInput
from icf.models.data.base import Kind, LabelledFace, LabelledPicture, Reader, Skipped
from icf.own_files import walk
from icf.tools.training_art import figures, heads, make, restyle, sources
from icf.tools.training_art.real import make as real

#: The folder of what the pictures are drawn from.
_PACKAGES = "sources"


@dataclass(frozen=True)
class ArtReader(Reader):
    """Reads which heads there are; scenes and crops are composed of them elsewhere."""

    kind: ClassVar[str] = "art"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the heads that are trained on, by style."""
        for style, drawn in sorted(heads.training_art().heads.items()):
            for number, head in enumerate(drawn):
                box = (head.face[0], head.face[1], head.face[2], head.face[3])
                kind: Kind = "human" if head.human else "cartoon"
                face = LabelledFace(box, kind, f"{style}/{head.identity}")
                yield LabelledPicture(f"{style}/{number}", (face,))

    def read(self, key: str) -> bytes:
        """Raise: a drawn head is never seen as a picture of its own."""
        raise BadInput(f"{self.name}: {key} is only trained on in composed pictures")

    def fingerprint(self) -> str:
        """Return a digest of names and sizes of all pictures, and of their boxes.

        Without times: what every start draws again is the same, and a run goes on.
        """
        digest = hashlib.sha256()
        for path in walk(self.path):
            name = path.relative_to(self.path)
            if name.parts[0] != _PACKAGES:
                digest.update(f"{name.as_posix()} {path.stat().st_size}\n".encode())
        return digest.hexdigest()


def drawn_art(say: Callable[[str], object]) -> ArtReader:
    """Fetch and draw what is missing, once; return the reader of it.

    Args:
        say: receives a line before each part: all of it takes an hour.
    """
    make.main(say)
    real.main(say)
    say("drawing whole figures")
    figures.main()
    restyle.fetch()
    return ArtReader(sources.drawn())
