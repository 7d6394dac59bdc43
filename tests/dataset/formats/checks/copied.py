"""One format of a release, in a copy that a test may change."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from icf.dataset.contents import FILE, read_contents
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.registry import make_writers
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import Exported

#: What every format is checked by.
TABLES = (
    *(FILE, "unused.csv", "crops.csv", "release.json"),
    *("licences.csv", "exif_turned.csv"),
)


@dataclass(frozen=True)
class Copied:
    """The folder of a format beside the tables that all formats share."""

    root: Path
    name: str

    @classmethod
    def of(cls, exported: Exported, name: str, root: Path) -> Copied:
        root.mkdir(exist_ok=True)
        shutil.copytree(exported.of(name), root / name)
        for table in TABLES:
            if (exported.folder / table).exists():
                shutil.copyfile(exported.folder / table, root / table)
        return cls(root, name)

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def faults(self) -> list[Fault]:
        """What is found, whatever the sums say: nobody looks at them here."""
        return faults(self.root, self.name)

    def said(self) -> list[str]:
        return [str(each) for each in self.faults()]

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first of a text, which must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def swap(self, one: str, other: str) -> None:
        """Give each of two files the other's name."""
        first, second = self.folder / one, self.folder / other
        content = first.read_bytes(), second.read_bytes()
        assert content[0] != content[1]
        first.unlink()  # it may be linked to
        second.unlink()
        first.write_bytes(content[1])
        second.write_bytes(content[0])

    def files(self, pattern: str) -> list[str]:
        found = sorted(self.folder.glob(pattern))
        return [each.relative_to(self.folder).as_posix() for each in found]


def faults(root: Path, name: str) -> list[Fault]:
    """What the check of a format finds in a release."""
    folder = root / name
    summary = json.loads((root / "release.json").read_text())
    contents = read_contents(root / FILE)
    files = ReleaseFiles(folder, contents, digest(folder), summary, root)
    writer = make_writers([name])[name]
    return list(getattr(writer, "verify")(files))  # noqa: B009 - it need not have one
