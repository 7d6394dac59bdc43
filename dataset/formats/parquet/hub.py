"""A data set as the Hub of Hugging Face shows and loads it.

::

    README.md                                  names the configurations and their files
    recognition/train-00000-of-00003.parquet   as `icf.dataset.formats.parquet.writer`
    ...

``datasets.load_dataset("FOLDER", "detection")`` opens it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import yaml  # type: ignore[import-untyped,unused-ignore]

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.parquet.columns import IMAGE
from icf.dataset.formats.parquet.verify import FILE, check_files
from icf.dataset.formats.parquet.writer import ParquetWriter, write_parquet
from icf.dataset.formats.records import SPLITS, TASKS, placed_in
from icf.dataset.plan import Plan
from icf.stores.files import copy_file, hash_file

CARD = "README.md"
#: How the description of a configuration begins.
_HASHED = "Files with the hash "


class HuggingFaceWriter:
    """Parquet, and the page that names the configurations."""

    name: ClassVar[str] = "hf"
    help: ClassVar[str] = "The layout of the Hub of Hugging Face: Parquet and a page."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the Parquet files of both sets, and the page.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        known = data.earlier.get(ParquetWriter.name)
        yield from (
            write_parquet(data, folder)
            if known is None
            else _linked(data, known, folder)
        )
        page = _page(data.plan, _content(data, folder))
        (folder / CARD).write_text(page, encoding="utf-8")

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture, label and box in the files, and what the page has."""
        is_good = True
        for fault in check_files(files):
            is_good = False
            yield fault
        if is_good:
            yield from _check_page(files)


def configurations(plan: Plan, content: str) -> Mapping[str, Any]:
    """Return the head of the page that ``datasets`` and the Hub read.

    ``datasets`` caches what it reads by the folder's name and this head: without the
    content in it, one release would be taken for another.

    Args:
        plan: of the release; what is empty in it has no file.
        content: the hash of all files.
    """
    found: list[dict[str, Any]] = []
    for task in TASKS:
        files = [
            {"split": split, "path": f"{task}/{split}-*.parquet"}
            for split in SPLITS
            if placed_in(plan, task, split)
        ]
        if files:
            about = f"{_HASHED}{content}"
            found.append(
                {"config_name": task, "description": about, "data_files": files}
            )
    found[0]["default"] = True
    return {"configs": found}


def _linked(data: ReleaseData, known: Path, folder: Path) -> Iterator[WrittenPicture]:
    """Link the files that the format Parquet has already."""
    for task in TASKS:
        (folder / task).mkdir()
        for split in SPLITS:
            placed = {
                each.path.rpartition("/")[2]: each
                for each in placed_in(data.plan, task, split)
            }
            for path in sorted((known / task).glob(f"{split}-*.parquet")):
                file = path.relative_to(known)
                copy_file(path, folder / file, link=True)
                table = pq.ParquetFile(path).read([f"{IMAGE}.path"])
                for row in table[IMAGE].to_pylist():
                    yield WrittenPicture(
                        file, each := placed[row["path"]], row["path"], data.crop(each)
                    )


def _content(data: ReleaseData, folder: Path) -> str:
    """A hash of the Parquet files; those of each are needed later, too."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.parquet")):
        data.hashes[str(path)] = hash_file(path)
        digest.update(f"{path.relative_to(folder)} {data.hashes[str(path)]}\n".encode())
    return digest.hexdigest()


def _check_page(files: ReleaseFiles) -> Iterator[Fault]:
    """Yield that the page tells `datasets` of other files: it would take old ones."""
    if CARD not in files.hashes:
        yield Fault(CARD, MISSING)
        return
    digest = hashlib.sha256()
    for name in sorted(filter(FILE.fullmatch, files.hashes)):
        digest.update(f"{name} {files.hashes[name]}\n".encode())
    meant = digest.hexdigest()
    text = (files.folder / CARD).read_text(encoding="utf-8", errors="replace")
    found = set(re.findall(rf"{_HASHED}(\w*)", text))
    if found and found != {meant}:  # an earlier version wrote none
        shown = ", ".join(sorted(found))
        yield Fault(CARD, f"has the hash {shown} of its files, and not {meant}")


def _page(plan: Plan, content: str) -> str:
    head = yaml.safe_dump(dict(configurations(plan, content)), sort_keys=False)
    return f"""\
---
{head}---

# A cartoon-face data set

Made with icf. Configuration `recognition`: a face a picture, with the number and name
of its identity; `label` -1 is a distractor. Configuration `detection`: the drawn faces
of a picture. `bbox` is x, y, width, height in pixels of the upright picture.
"""
