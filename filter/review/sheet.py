"""One HTML page of suspicions, with the two faces of each side by side.

The page is self-contained: crops are encoded again, without the metadata of their
files, and embedded as data URLs.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.codes import ImageReason, ReviewStatus
from icf.errors import BrokenMachine
from icf.filter.review.queues import QUEUES, ReviewItem, count, read_queue
from icf.images import Undecodable, jpeg_url
from icf.models.face_crops import FaceCropper, read_boxes
from icf.pages.templates import html_templates
from icf.stores.files import check_place_of_file, replace_file
from icf.workspace import Workspace

#: Maximum side of a crop in pixels: twice the displayed size, for high-density screens.
SIDE = 300
_QUALITY = 80


@dataclass(frozen=True)
class Queue:
    """A queue as shown on the page.

    Attributes:
        name: a key of `icf.filter.review.queues.QUEUES`.
        meaning: what its suspicions mean.
        rows: the suspicions on the page.
        total: how many suspicions there are, on the page or not.
    """

    name: str
    meaning: str
    rows: Sequence[ReviewItem]
    total: int


@dataclass(frozen=True)
class Written:
    """What a page contains.

    Attributes:
        suspicions: number of suspicions.
        left_out: number of faces without a picture, by `icf.codes.ImageReason`.
    """

    suspicions: int
    left_out: Mapping[str, int]


def write_sheet(
    workspace: Workspace,
    target: Path,
    queues: Sequence[str],
    status: ReviewStatus,
    limit: int,
    done: Callable[[int], None] = lambda faces: None,
) -> Written:
    """Write the page.

    Args:
        workspace: where the faces are.
        target: the file to write.
        queues: keys of `icf.filter.review.queues.QUEUES`.
        status: the status of the suspicions to show.
        limit: maximum number of suspicions of each queue.
        done: called with the number of faces that were cropped.

    Raises:
        WrongUse: there is no folder for it.
        BrokenMachine: the file cannot be written, or the blob store has no picture.
    """
    check_place_of_file(target)
    workspace.check_blobs()
    with workspace.catalogue.read() as connection:
        counts = count(connection)
        shown = [
            Queue(
                name,
                QUEUES[name].meaning,
                read_queue(connection, QUEUES[name], status, limit),
                counts[QUEUES[name]][status],
            )
            for name in queues
        ]
        rows = [row for queue in shown for row in queue.rows]
        ids = {side.face_id for row in rows for side in (row.face, row.other)}
        boxes = read_boxes(connection, ids)
    settings = workspace.settings
    cropper = FaceCropper(
        workspace.blobs,
        settings.filter.crop_rate,
        settings.harvest.max_pixels,
        SIDE,
        _QUALITY,
    )
    pictures: dict[int, str] = {}
    errors = cropper.crop(
        boxes, lambda key, jpeg: pictures.update({key: jpeg_url(jpeg)}), done
    )
    missing = {
        key: error.reason.value
        if isinstance(error, Undecodable)
        else ImageReason.MISSING_BLOB.value
        for key, error in errors.items()
    }
    text = _render(workspace, shown, status, pictures, missing)
    try:
        replace_file(target, [text.encode()])
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the page {target}: {error}; use another path or free some "
            "space"
        ) from error
    return Written(len(rows), dict(Counter(missing.values())))


def _render(
    workspace: Workspace,
    queues: Sequence[Queue],
    status: ReviewStatus,
    pictures: Mapping[int, str],
    missing: Mapping[int, str],
) -> str:
    environment = html_templates(Path(__file__).parent)
    style = environment.get_template("sheet_style.html").render()
    digest = hashlib.sha256(style.encode()).digest()
    return environment.get_template("sheet.html").render(
        queues=queues,
        status=status,
        pictures=pictures,
        missing=missing,
        workspace=workspace.root.name,
        style=style,
        style_hash=f"sha256-{base64.b64encode(digest).decode()}",
    )
