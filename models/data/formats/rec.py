"""Face crops as insightface packs them: ``train.rec``, ``train.idx``, ``property``.

``train.idx`` has the number of each record and its offset in ``train.rec``.
``property`` has the number of identities, and height and width of the pictures. Record
0 has two labels: the number of the first record that is no picture, and of the last.
Those records have no picture: each gives the range of one identity's pictures, which
the pictures' own labels say too.

The faces are photographed, unless the user writes ``rec+cartoon:DIR``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from icf.errors import BadInput
from icf.models.data.base import Kind, LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.formats.record_io import (
    RecordHeader,
    read_header,
    read_picture,
)
from icf.models.data.picture_files import read_file, state_of

REC, IDX, PROPERTY = "train.rec", "train.idx", "property"


@dataclass(frozen=True)
class RecReader(Reader):
    """Reads a folder with the three files; a key is ``RECORD@OFFSET``.

    Attributes:
        domain: whether the faces are drawn.
    """

    kind: ClassVar[str] = "rec"

    domain: Kind = "human"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures, in the order of ``train.idx``.

        Only the headers of the records are read.

        Raises:
            BadInput: a file is missing, or is not what its name says.
        """
        classes = self._classes()
        with self._opened(REC) as records, self._opened(IDX) as index:
            after: int | None = None
            seen: set[int] = set()
            for line, text in enumerate(index, 1):
                row = _row(text)
                if row is None or row[0] in seen:
                    reason = "the same record again" if row else "not NUMBER<TAB>OFFSET"
                    yield Skipped(f"{IDX}, line {line}", reason)
                    continue
                number, offset = row
                seen.add(number)
                where = f"{REC}, record {number}"
                try:
                    header = read_header(records, offset)
                except BadInput as error:
                    yield Skipped(where, str(error))
                    continue
                if number == 0 and len(header.labels) == 2 and not header.size:
                    after = int(header.labels[0])
                elif after is None or number < after:
                    yield self._picture(where, f"{number}@{offset}", header, classes)
            if not seen:
                raise BadInput(f"{self.name}: {IDX} has no row NUMBER<TAB>OFFSET")

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        number, _, offset = key.partition("@")
        with self._opened(REC) as records:
            try:
                return read_picture(records, int(offset))
            except ValueError as error:
                raise BadInput(f"{self.name}: {key!r} is not RECORD@OFFSET") from error
            except (BadInput, OSError) as error:
                where = f"{self.path / REC}, record {number}"
                raise BadInput(f"{where}: {error}") from error

    def fingerprint(self) -> str:
        """Return a digest of sizes and times of the files."""
        files = [self.path / name for name in (REC, IDX, PROPERTY)]
        return state_of(self.path, files)

    def _opened(self, name: str) -> BinaryIO:
        try:
            return (self.path / name).open("rb")
        except OSError as error:
            raise BadInput(
                f"{self.name}: {self.path / name} cannot be read: {error.strerror}; "
                f"the folder must have {REC} and {IDX}"
            ) from error

    def _classes(self) -> int | None:
        """Return the number of identities; None where no file says it."""
        path = self.path / PROPERTY
        if not path.exists():
            return None
        text = read_file(path)[:200].decode(errors="replace")
        parts = text.strip().split(",")
        if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
            raise BadInput(
                f"{path}: expected IDENTITIES,HEIGHT,WIDTH as in 85742,112,112, found "
                f"{text[:80]!r}"
            )
        return int(parts[0])

    def _picture(
        self, where: str, key: str, header: RecordHeader, classes: int | None
    ) -> LabelledPicture | Skipped:
        label = header.labels[0]
        if not header.size:
            return Skipped(where, "no picture in the record")
        if not label.is_integer() or label < 0:
            return Skipped(where, "a label that is no identity's number")
        if classes is not None and label >= classes:
            return Skipped(where, f"a label above the {classes} of {PROPERTY}")
        face = LabelledFace(None, self.domain, str(int(label)))
        return LabelledPicture(key, (face,))


def _row(text: bytes) -> tuple[int, int] | None:
    """Return a row's two numbers; None if it has others."""
    parts = text.split()
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])
