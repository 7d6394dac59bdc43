"""Which given pictures the catalogue has, and whether they are still the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from icf.app.importing.given import Fault, GivenPicture
from icf.catalogue.bulk_insert import among
from icf.catalogue.schema import image, url
from icf.codes import FetchStatus
from icf.icartoonface.parts import HELD_OUT_ENDING
from icf.stores.files import hash_file
from icf.workspace import Workspace

#: Seconds before a picture was entered in which its file may have changed unseen: the
#: file was read before, and the clocks of file servers differ.
_UNSURE = 60.0


class Known(NamedTuple):
    """A picture that the catalogue has.

    Attributes:
        size: of its bytes.
        sha256: of its bytes.
        part: the part that it came with.
        entered_at: when its address was; None: nobody knows.
        is_whole: whether so many bytes are in the store.
    """

    size: int
    sha256: str
    part: str
    entered_at: float | None
    is_whole: bool


def known_pictures(workspace: Workspace, urls: Sequence[str]) -> dict[str, Known]:
    """Return those addresses whose picture is in the catalogue."""
    columns = url.c.url, url.c.source, url.c.finished_at, image.c.sha256, image.c.bytes
    with workspace.catalogue.read() as connection:
        query = (
            sa.select(*columns)
            .join(image, image.c.id == url.c.image_id)
            .where(
                among(connection, url.c.url, urls),
                url.c.fate == FetchStatus.STORED.value,
            )
        )
        rows = connection.execute(query).all()
    sizes = {row.sha256: row.bytes for row in rows}
    damaged = workspace.blobs.damaged(sizes, full=False)
    return {
        row.url: Known(
            row.bytes,
            row.sha256,
            row.source,
            row.finished_at,
            row.sha256 not in damaged,
        )
        for row in rows
    }


def is_another(picture: GivenPicture, known: Known) -> bool:
    """Whether a file has other bytes than the picture known under its address."""
    if not isinstance(picture.file, Path):
        return False  # its address has its hash
    try:
        state = picture.file.stat()
        if state.st_size != known.size:
            return True
        return (
            _may_differ(picture, known, state)
            and hash_file(picture.file) != known.sha256
        )
    except OSError:
        return False


def another(picture: GivenPicture) -> Fault:
    """Return the fault of a file that is another picture."""
    why = (
        f"another picture was imported as {picture.url} before; if this is another "
        "data set, it needs another name (--name, or that of its folder)"
    )
    return Fault(picture.where, f"{picture.file}: {why}", is_picture=True)


def _may_differ(picture: GivenPicture, known: Known, state: os.stat_result) -> bool:
    if not known.is_whole or known.entered_at is None:
        return True
    # A file that was moved here keeps the time of its bytes.
    if max(state.st_mtime, state.st_ctime) > known.entered_at - _UNSURE:
        return True
    # Train and test may have the same names, and pictures of one size.
    mine, theirs = (
        each.removesuffix(HELD_OUT_ENDING) for each in (picture.part, known.part)
    )
    return mine != theirs
