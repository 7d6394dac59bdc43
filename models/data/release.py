"""A release folder of `icf-build-splits`: what it gives for training, never its test.

It is read by its files, so that a release that was copied to another machine trains the
same models there. The lists are those of the published iCartoonFace; the release's own
tables say more: whom each folder shows, which files are one picture, and the licences.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from icf.catalogue.tombstones import full_name
from icf.errors import BadInput
from icf.icartoonface.release_files import (
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    IDENTITIES,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
    UNASKED,
)
from icf.icartoonface.revoked import warning_of
from icf.licence_names import licence_family
from icf.models.data.base import LabelledPicture, Reader, Skipped
from icf.models.data.formats.icartoonface import ICartoonFaceReader
from icf.models.data.picture_files import read_file
from icf.spreadsheet import rows_of

_FORMAT = "icartoonface"
#: What the folder of an identity is called, in front of its number.
_FOLDER = "personai_icartoonface_rectrain"
_log = logging.getLogger(__name__)

_SUMMARY, _LICENCES = Path("release.json"), Path("licences.csv")


@dataclass(frozen=True)
class ReleaseReader(Reader):
    """Reads the training parts of a release in the format iCartoonFace.

    An identity is called ALBUM/CHARACTER, as in the workspace that made the release.
    Files with the same bytes are one group. Pictures of the detection set are complete;
    a picture is checked unless its face is a reference that nobody was asked about.
    """

    kind: ClassVar[str] = "release"

    @property
    def licence(self) -> str:
        """The licences of the training pictures, from the release's own table."""
        above = self._above()
        parts = tuple(
            (above / folder).as_posix() + "/"
            for folder in (RECTRAIN_FOLDER, DETTRAIN_FOLDER)
        )
        columns = ("file", "licence", "licence_url")
        used = {
            licence_family(row["licence"], row["licence_url"])
            for row in rows_of(self.path / _LICENCES, *columns)
            if row["file"].startswith(parts)
        }
        return ", ".join(sorted(used))

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the training pictures of both sets, in the order of their lists.

        Raises:
            BadInput: it is no release, or lacks this format or a file of it.
        """
        warning = warning_of(self.path)
        if warning is not None:
            _log.warning("%s", warning)
        above = self._above()
        names = self._names(above)
        content = {
            row["file"]: row["sha256"]
            for row in rows_of(self.path / _LICENCES, "file", "sha256")
        }
        unasked = self._unasked(above)
        for each in ICartoonFaceReader(self.path / above).pictures():
            if isinstance(each, Skipped):
                yield each
                continue
            key = (above / each.key).as_posix()
            faces = tuple(
                replace(face, identity=names.get(face.identity or "", face.identity))
                for face in each.faces
            )
            yield LabelledPicture(
                key,
                faces,
                each.complete,
                checked=key not in unasked,
                group=content.get(key, ""),
            )

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path / key)

    def fingerprint(self) -> str:
        """Return the hash of the release's summary, lists and tables."""
        above = self._above()
        digest = hashlib.sha256()
        for name in (
            _SUMMARY,
            _LICENCES,
            *(above / each for each in (RECTRAIN_LIST, DETTRAIN_BOXES)),
            *(above / each for each in (IDENTITIES, UNASKED)),
        ):
            path = self.path / name
            content = read_file(path) if path.exists() else b""
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()

    def _above(self) -> Path:
        """The folder of the format below that of the release.

        Raises:
            BadInput: it is no release, or was not written in this format.
        """
        path = self.path / _SUMMARY
        try:
            # Releases of earlier versions name no formats, as there was this one only.
            formats = json.loads(read_file(path)).get("formats", {_FORMAT: "."})
            if _FORMAT in formats:
                return Path(str(formats[_FORMAT]))
            written = ", ".join(sorted(formats))
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise BadInput(f"{self.name}: {path} is damaged: {error}") from error
        raise BadInput(
            f"{self.name}: this release was written as {written} alone; training reads "
            f"the format {_FORMAT}: write it with `icf-build-splits --format {_FORMAT}`"
        )

    def _unasked(self, above: Path) -> frozenset[str]:
        """The pictures whose face is a reference that nobody was asked about."""
        if not (self.path / above / UNASKED).exists():
            return frozenset()
        rows = rows_of(self.path / above / UNASKED, "file")
        return frozenset((above / row["file"]).as_posix() for row in rows)

    def _names(self, above: Path) -> dict[str, str]:
        """The identity of each folder; of those called alike the folder stays it."""
        rows = [
            (int(row["label"]), full_name(row["album"], row["character"]))
            for row in rows_of(
                self.path / above / IDENTITIES, "label", "album", "character"
            )
            if row["label"].isdecimal()
        ]
        count = Counter(name for _, name in rows)
        return {
            f"{_FOLDER}_{label:05d}": name for label, name in rows if count[name] == 1
        }
