"""Export a batch of questions: first to the catalogue, then as a folder.

The questions are inserted in one transaction, so that none is ever asked twice. The
folder is written under a temporary name and renamed. If a batch's folder is missing,
because the program was killed or somebody removed it, it is written again from the
catalogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.ask import ask_beside_others
from icf.annotate.batch import (
    PICTURE_FOLDER,
    Batch,
    Question,
    count_references,
    find_batch,
    picture_path,
    read_questions,
)
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.unasked import count_unasked
from icf.annotate.formats.registry import WRITERS
from icf.catalogue import tombstones
from icf.catalogue.labels.licences import allowed_sources
from icf.catalogue.rounds.audit_set import count_confirmed
from icf.errors import BrokenMachine, IcfError, WrongUse
from icf.images import Undecodable
from icf.models.face_crops import FaceBox, FaceCropper, read_boxes
from icf.stores.blobs import MissingBlob
from icf.stores.files import check_place_of_folder, new_folder, replace_file
from icf.workspace import Workspace

#: In a workspace's folder: held while a batch is made.
LOCK = "export.lock"

#: The SHA-256 of each crop of a batch, as the program sha256sum writes and checks it.
SUMS = "SHA256SUMS"

#: Maximum side of the exported crops, in pixels.
MAX_SIDE = 640


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        format: a key of `icf.annotate.formats.registry.WRITERS`.
        folder: the batch's folder.
        limit: maximum number of questions.
        url_prefix: prepended to the path of each picture; None for the default of the
            format.
    """

    format: str
    folder: Path
    limit: int
    url_prefix: str | None = None

    @property
    def is_written(self) -> bool:
        """Whether the folder was written."""
        markers = WRITERS[self.format].markers
        return any((self.folder / each).is_file() for each in markers)

    def files(self, questions: Sequence[Question]) -> dict[str, bytes]:
        """The files that describe the questions, by name."""
        writer = WRITERS[self.format]
        prefix = self.url_prefix
        if prefix is None:
            prefix = writer.url_prefix(self.folder)
        return dict(writer.write(questions, prefix))


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    Attributes:
        batch: None if nothing was left to ask.
        asked: whether its questions are new; False if they were asked before.
        written: False if the folder already existed.
        left_out: why a question is not in the folder, by question id.
        references: how many of its questions are about references.
        waiting: how many faces can be asked about when references are confirmed.
    """

    batch: Batch | None
    asked: bool
    written: bool
    left_out: dict[int, str]
    references: int = 0
    waiting: int = 0


def export(
    workspace: Workspace,
    request: ExportRequest,
    done: Callable[[int], None] = lambda pictures: None,
) -> Exported:
    """Ask a new batch of questions, or finish one that was asked before.

    Args:
        workspace: where the faces are.
        request: what to export.
        done: called with the number of pictures that were cut.

    Raises:
        WrongUse: the folder contains something else.
        BrokenMachine: the folder cannot be written.
    """
    workspace.check_blobs()
    what = f"icf-annotate export {request.folder}"
    with workspace.one_at_a_time(LOCK, what):
        return _export(workspace, request, done)


def _export(
    workspace: Workspace, request: ExportRequest, done: Callable[[int], None]
) -> Exported:
    existing = existing_batch(workspace, request)
    if existing is not None and request.is_written:
        return Exported(existing, False, False, {})
    run_id = workspace.begin_run("icf-annotate export")
    batch = existing
    if batch is None:
        batch = ask_beside_others(
            workspace.catalogue,
            run_id,
            request.format,
            workspace.stored_path(request.folder),
            request.limit,
            partial(batch_shares, workspace),
        )
    left_out = _write_folder(workspace, request, batch, done) if batch else {}
    workspace.end_run(run_id)
    asked = batch is not None and existing is None
    with workspace.catalogue.read() as connection:
        references = count_references(connection, batch.id) if batch else 0
        waiting = 0
        if references or batch is None:
            shares = batch_shares(workspace, connection)
            waiting = count_unasked(connection, shares).waiting
    written = batch is not None
    return Exported(batch, asked, written, left_out, references, waiting)


def batch_shares(workspace: Workspace, connection: sa.Connection) -> Shares:
    """What a batch is made of, by the settings and what is confirmed."""
    settings = workspace.settings.annotate
    lacking = workspace.settings.round.audit_faces - count_confirmed(connection)
    return Shares(
        random=settings.random_share,
        review=settings.review_share,
        confirmed=settings.confirm_references,
        audit=max(0, lacking),
        risk=settings.risk,
        look=settings.look,
        follow=settings.tracks == "follow",
        track_audit=settings.track_audit,
        licences=allowed_sources(connection, workspace.settings.harvest.only_licence),
    )


def existing_batch(workspace: Workspace, request: ExportRequest) -> Batch | None:
    """The batch that was already exported to this folder, if any.

    Raises:
        WrongUse: the folder contains something else, or that batch in another format.
    """
    with workspace.catalogue.read() as connection:
        found = find_batch(connection, workspace.stored_path(request.folder))
    folder = request.folder
    if found is not None and found.format != request.format:
        raise WrongUse(
            f"{folder} is the folder of batch {found.id}, whose format is "
            f"{found.format}; use another folder for a batch in {request.format}"
        )
    check_place_of_folder(folder)
    ours = found is not None and request.is_written
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise WrongUse(f"{folder} is not empty; use a new folder for the batch")
    return found


def _write_folder(
    workspace: Workspace,
    request: ExportRequest,
    batch: Batch,
    done: Callable[[int], None],
) -> dict[int, str]:
    with workspace.catalogue.read() as connection:
        questions = read_questions(connection, batch.id)
        faces = {each.face_id for each in questions}
        faces |= {each.reference_face_id for each in questions}
        boxes = read_boxes(connection, faces)
    complete: list[Question] = []
    left_out: dict[int, str] = {}

    @contextmanager
    def publishing(folder: Path) -> Iterator[None]:
        """Leave out what was withdrawn since its pictures were cut."""
        with workspace.catalogue.write() as connection:
            tombstones.hold(connection)
            for key in tombstones.withdrawn_faces(connection, [b.id for b in boxes]):
                (folder / picture_path(key)).unlink(missing_ok=True)
            # A takedown deletes the questions about what it removes.
            valid = {each.id for each in read_questions(connection, batch.id)}
            left = [each for each in complete if each.id in valid]
            if len(left) < len(complete):
                for name in request.files(complete).keys() - request.files(left).keys():
                    (folder / name).unlink()
                _write_files(request, folder, left)
            for key in left_out.keys() - valid:
                del left_out[key]
            yield

    try:
        with new_folder(request.folder.resolve(), publishing) as folder:
            (folder / PICTURE_FOLDER).mkdir()
            errors = write_crops(workspace, folder, boxes, done)
            for each in questions:
                error = errors.get(each.face_id) or errors.get(each.reference_face_id)
                if error is None:
                    complete.append(each)
                else:
                    left_out[each.id] = str(error)
            _write_files(request, folder, complete)
    except IcfError:
        raise
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the batch {request.folder}: {error}; its questions are "
            "saved in the catalogue: free some space and run the same command again"
        ) from error
    return left_out


def write_crops(
    workspace: Workspace,
    folder: Path,
    boxes: Sequence[FaceBox],
    done: Callable[[int], None] = lambda pictures: None,
) -> dict[int, MissingBlob | Undecodable]:
    """Cut faces into the folder of a batch, and note the hash of each crop.

    Args:
        workspace: where the pictures are.
        folder: of the batch.
        boxes: the faces.
        done: called with the number of pictures that were cut.

    Returns:
        The error for each face without a crop, by face id.
    """
    settings = workspace.settings
    cropper = FaceCropper(
        workspace.blobs,
        settings.filter.crop_rate,
        settings.harvest.max_pixels,
        MAX_SIDE,
    )
    sums = read_sums(folder)

    def save(face_id: int, jpeg: bytes) -> None:
        sums[picture_path(face_id)] = hashlib.sha256(jpeg).hexdigest()
        (folder / picture_path(face_id)).write_bytes(jpeg)

    errors = cropper.crop(boxes, save, done)
    lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items())]
    replace_file(folder / SUMS, ["".join(lines).encode()])
    return errors


def read_sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each crop of a batch; empty for one of an earlier version."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    pairs = (line.split("  ", 1) for line in lines if "  " in line)
    return {name: sha256 for sha256, name in pairs}


def _write_files(
    request: ExportRequest, folder: Path, questions: Sequence[Question]
) -> None:
    for name, data in request.files(questions).items():
        replace_file(folder / name, [data])
