"""ImageFolder: single files with ``metadata.jsonl``, for ``datasets`` and torchvision.

::

    recognition/train/metadata.jsonl
    recognition/train/00012/PICTURE       a folder an identity
    recognition/test/distractor/PICTURE
    identities.csv                        the character of each label
    detection/train/metadata.jsonl
    detection/train/000/PICTURE           at most 1,000 pictures a folder

A row of ``metadata.jsonl`` has ``file_name``, from its own folder, and what the columns
of the format Parquet have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.imagefolder import check_imagefolder
from icf.dataset.formats.identities import write_identities
from icf.dataset.formats.layouts import METADATA, identity_folder
from icf.dataset.formats.parquet.columns import columns_of
from icf.dataset.formats.records import SPLITS, TASKS, Record, Records

#: The Hub takes at most 10,000 files a folder.
IN_FOLDER = 1_000


class ImageFolderWriter:
    """Folders of pictures, and a file that says what is in them."""

    name: ClassVar[str] = "imagefolder"
    help: ClassVar[str] = "Folders of pictures with metadata.jsonl, an identity each."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the pictures of both sets and their metadata.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        records = Records(data)
        for task in TASKS:
            columns = columns_of(task, records.names)
            for split in SPLITS:
                place = Path(task, split)
                (folder / place).mkdir(parents=True)
                path = folder / place / METADATA
                with path.open("w", encoding="utf-8", newline="\n") as file:
                    for number, each in enumerate(records.of(task, split)):
                        inside = Path(_folder_of(each, number), each.name)
                        (folder / place / inside).parent.mkdir(exist_ok=True)
                        yield data.put(each.placed, folder, place / inside)
                        row = {"file_name": inside.as_posix()}
                        row |= {column.name: column.value(each) for column in columns}
                        file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
        write_identities(folder, data.plan)

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture, label and box against the contents."""
        return check_imagefolder(files)


def _folder_of(record: Record, number: int) -> str:
    """Return the folder of a picture: its identity's, or one of not too many files."""
    if record.who is None:
        return f"{number // IN_FOLDER:03d}"
    return identity_folder(record.who.label)
