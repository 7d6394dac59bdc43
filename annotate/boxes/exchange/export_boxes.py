"""Export pictures with their boxes to a new folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from icf.annotate.boxes.choose import Asking, ask_more
from icf.annotate.boxes.exchange import coco, label_studio, yolo
from icf.annotate.boxes.exchange.rows import ExportedPicture
from icf.annotate.boxes.opinion import as_boxes
from icf.annotate.boxes.proposals import NONE, read_proposals
from icf.catalogue import tombstones
from icf.catalogue.annotation.schema import box_task
from icf.catalogue.labels.verified_boxes import verified_pictures
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image
from icf.codes import BoxStatus, ImageReason
from icf.errors import BrokenMachine, IcfError, WrongUse
from icf.images import Undecodable, decode, encode_jpeg
from icf.stores.blobs import MissingBlob
from icf.stores.files import new_folder
from icf.workspace import Workspace


class Which(str, Enum):
    """Which pictures are exported."""

    #: Those that people are asked about, to be boxed.
    ASKED = "boxes"
    #: Those that people verified, with the merged boxes.
    VERIFIED = "verified-boxes"


@dataclass(frozen=True)
class BoxExport:
    """What to export.

    Attributes:
        which: of the pictures.
        format: ``coco`` or ``label-studio``; of verified pictures also ``yolo``.
        folder: where to; it is new.
        limit: maximum number of pictures.
        url_prefix: prepended to the path of each picture in tasks of Label Studio;
            None: as it serves the folder itself.
    """

    which: Which
    format: str
    folder: Path
    limit: int
    url_prefix: str | None = None

    def files(self, pictures: Sequence[ExportedPicture]) -> Mapping[str, bytes]:
        """The files that describe pictures, by name."""
        if self.format == coco.NAME:
            return {coco.FILE: coco.write_coco(pictures)}
        if self.format == yolo.NAME:
            return yolo.write_yolo(pictures)
        served = f"/data/local-files/?d={quote(self.folder.resolve().name)}/"
        prefix = served if self.url_prefix is None else self.url_prefix
        tasks = label_studio.write_label_studio_boxes(pictures, prefix)
        config = label_studio.CONFIG.encode()
        return {label_studio.FILE: tasks, label_studio.CONFIG_FILE: config}


@dataclass(frozen=True)
class ExportedBoxes:
    """The result of an export.

    Attributes:
        pictures: how many were written.
        left_out: why one is not in the folder, by its id.
    """

    pictures: int
    left_out: Mapping[int, str]


def export_boxes(
    workspace: Workspace,
    request: BoxExport,
    done: Callable[[int], None] = lambda pictures: None,
) -> ExportedBoxes:
    """Write pictures and their boxes to a new folder.

    Of pictures to be boxed the same are written until people answered: they are open.
    Nothing is written where there are none.

    Args:
        workspace: where the pictures are.
        request: what to export.
        done: called with the number of pictures that were written.

    Raises:
        WrongUse: the folder is there already.
        BrokenMachine: it cannot be written.
    """
    if request.folder.exists():
        raise WrongUse(f"{request.folder} exists; boxes are written to a new folder")
    workspace.check_blobs()
    chosen = _choose(workspace, request)
    if not chosen:
        return ExportedBoxes(0, {})
    left_out: dict[int, str] = {}
    written: list[ExportedPicture] = []

    @contextmanager
    def publishing(folder: Path) -> Iterator[None]:
        """Leave out what was withdrawn since its pictures were read."""
        with workspace.catalogue.write() as connection:
            tombstones.hold(connection)
            gone = _withdrawn(connection, [each.image_id for each in written])
            for each in written:
                if each.image_id in gone:
                    (folder / each.path).unlink(missing_ok=True)
            written[:] = [each for each in written if each.image_id not in gone]
            for name, data in request.files(written).items():
                (folder / name).write_bytes(data)
            yield

    try:
        with new_folder(request.folder.resolve(), publishing) as folder:
            (folder / "pictures").mkdir()
            for each in chosen:
                try:
                    jpeg = _jpeg(workspace, each.sha256)
                except (MissingBlob, Undecodable) as error:
                    left_out[each.image_id] = str(error)
                else:
                    (folder / each.path).write_bytes(jpeg)
                    written.append(each)
                done(1)
    except IcfError:
        raise
    except OSError as error:
        raise BrokenMachine(f"cannot write {request.folder}: {error}") from error
    return ExportedBoxes(len(written), left_out)


def _choose(workspace: Workspace, request: BoxExport) -> list[ExportedPicture]:
    if request.which is Which.VERIFIED:
        with workspace.catalogue.read() as connection:
            return _verified(connection, request.limit)
    asking = Asking(workspace.settings.annotate.box_hidden)
    query = _asked().limit(request.limit)
    with workspace.catalogue.write() as connection:
        rows = connection.execute(query).all()
        run_id = None
        while len(rows) < request.limit:
            run_id = run_id or workspace.note_run(connection, "icf-annotate export")
            if not ask_more(connection, run_id, asking):
                break
            rows = connection.execute(query).all()
        shown = [row.id for row in rows if not row.hidden]
        proposals = read_proposals(connection, shown)
    # Whoever gets COCO back cannot tell a box that was looked at from one that was not.
    proposes = request.format != coco.NAME
    return [
        ExportedPicture(
            row.id,
            row.sha256,
            row.width,
            row.height,
            proposals.get(row.id, NONE).boxes if proposes else None,
        )
        for row in rows
    ]


def _asked() -> sa.Select[tuple[int, str, int, int, bool]]:
    return (
        sa.select(
            image.c.id,
            image.c.sha256,
            image.c.width,
            image.c.height,
            box_task.c.hidden,
        )
        .join(box_task, box_task.c.image_id == image.c.id)
        .where(
            box_task.c.status == BoxStatus.OPEN.value,
            image.c.reason != ImageReason.TAKEN_DOWN.value,
        )
        .order_by(image.c.id)
    )


def _verified(connection: sa.Connection, limit: int) -> list[ExportedPicture]:
    found = {
        each.image_id: each for each in islice(verified_pictures(connection), limit)
    }
    query = sa.select(image.c.id, image.c.sha256, image.c.width, image.c.height)
    return [
        ExportedPicture(
            row.id,
            row.sha256,
            row.width,
            row.height,
            as_boxes([box.corners for box in found[row.id].boxes]),
            found[row.id].people,
            found[row.id].disagreement,
        )
        for row in by_ids(connection, query, image.c.id, list(found))
    ]


def _withdrawn(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    query = sa.select(image.c.id).where(image.c.reason == ImageReason.TAKEN_DOWN.value)
    return {row.id for row in by_ids(connection, query, image.c.id, ids)}


def _jpeg(workspace: Workspace, sha256: str) -> bytes:
    most = workspace.settings.harvest.max_pixels
    return encode_jpeg(decode(workspace.blobs.get(sha256), most).pixels)
