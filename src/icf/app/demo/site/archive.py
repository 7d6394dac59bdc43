"""The site's bytes: one uncompressed tar, read in place and never unpacked."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from icf.app.demo.site import wiki as tables
from icf.errors import BadInput

TABLES = "wiki.json"
# 1 January 2024, 00:00 UTC: the same tar from the same pictures, whenever it is made.
MADE = 1_704_067_200


def shipped_tar() -> Path:
    """Find the tar that comes with the program."""
    return Path(str(resources.files("icf.app.demo.site").joinpath("site.tar")))


def write(path: Path, wiki: tables.Wiki, members: Iterable[tuple[str, bytes]]) -> None:
    """Write the site: its tables first, then ``members`` in order of their names."""
    first = (TABLES, tables.to_json(wiki).encode())
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in (first, *sorted(members)):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), MADE, 0o644
            tar.addfile(info, io.BytesIO(data))


class SiteArchive:
    """Reads members of the tar from any thread at once."""

    def __init__(self, path: Path) -> None:
        """Open the tar and learn where each member lies.

        Raises:
            BadInput: it is not a site's tar.
        """
        try:
            with tarfile.open(path, "r:") as tar:
                self._where = {m.name: (m.offset_data, m.size) for m in tar}
        except (OSError, tarfile.TarError) as error:
            raise BadInput(
                f"The demo's site cannot be read from {path}: {error}. "
                "Reinstall the program, or make the site again with "
                "python -m icf.tools.demo_pictures.make_site."
            ) from error
        if TABLES not in self._where:
            raise BadInput(f"{path} has no member {TABLES}: it is not a demo site.")
        self._file = path.open("rb")
        self.wiki = tables.from_json(self.read(TABLES).decode())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all members, in the order of the tar."""
        return tuple(self._where)

    def read(self, name: str) -> bytes:
        """Read one member.

        Raises:
            KeyError: there is no such member.
        """
        offset, size = self._where[name]
        return os.pread(self._file.fileno(), size, offset)

    def close(self) -> None:
        """Close the tar."""
        self._file.close()
