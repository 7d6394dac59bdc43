"""A release without pictures: the lists, and for each picture its hash and addresses.

``icf release relink`` downloads them again. Where the law allows to say where a picture
is and not to pass it on, this is what can be published.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.icartoonface.check import check_lists, check_pictures
from icf.dataset.formats.icartoonface.writer import (
    ICartoonFaceListsWriter,
    picture_files,
)
from icf.errors import WrongUse


class RelinkWriter:
    """The files of iCartoonFace; `licences.csv` says where each picture is."""

    name: ClassVar[str] = "relink"
    help: ClassVar[str] = (
        "The files of iCartoonFace without pictures, to be downloaded again."
    )

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write lists, boxes, features and a README; name every picture.

        Raises:
            WrongUse: crops are asked for, which nobody can download.
            BrokenMachine: a picture's bytes or a face's embedding are missing.
        """
        if data.plan.crops is not None:
            raise WrongUse(
                "--crops cannot be had with --format relink: pictures are downloaded "
                "whole; leave one of them out"
            )
        ICartoonFaceListsWriter().write(data, folder)
        for each, file in picture_files(data.plan):
            data.read(each)  # what is not whole here cannot be promised
            yield WrittenPicture(file, each)

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check the lists, and the pictures that were downloaded."""
        yield from check_pictures(files)
        yield from check_lists(files)
