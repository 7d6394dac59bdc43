"""Ask people a batch of questions: in the catalogue first, then as a folder.

The questions are entered in one transaction, so that none is ever asked twice. The
folder is written under a temporary name and renamed. A batch whose folder is not there,
because the program was killed or somebody removed it, is written again from the
catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from icf.annotate import label_studio, mturk, question_csv
from icf.annotate.ask import ask
from icf.annotate.batch import (
    Batch,
    Question,
    batch_path,
    find_batch,
    read_questions,
)
from icf.annotate.pictures import Cutter, read_faces
from icf.errors import BrokenMachine, IcfError, WrongUse
from icf.stores.files import new_folder
from icf.workspace import Workspace

#: The formats of a batch, and the file that each is recognised by.
FILES = {"csv": question_csv.FILE, "label-studio": label_studio.FILE}


@dataclass(frozen=True)
class Order:
    """What to export.

    Attributes:
        format: a key of `FILES`.
        folder: the batch's folder.
        limit: questions at most.
        url_prefix: what goes before the path of each picture; None: what the format
            needs to find the pictures in the folder.
    """

    format: str
    folder: Path
    limit: int
    url_prefix: str | None = None

    @property
    def prefix(self) -> str:
        """What goes before the path of each picture."""
        if self.url_prefix is not None:
            return self.url_prefix
        if self.format == "label-studio":
            # How Label Studio serves a folder below its document root.
            return f"/data/local-files/?d={quote(self.folder.resolve().name)}/"
        return ""


@dataclass(frozen=True)
class Exported:
    """What an export came to.

    Attributes:
        batch: None where nothing was left to ask.
        asked: whether its questions are new; False where they were asked before.
        written: False where the folder was there already.
        left_out: why a question is not in the folder, by its id.
    """

    batch: Batch | None
    asked: bool
    written: bool
    left_out: dict[int, str]


def export(
    workspace: Workspace,
    order: Order,
    done: Callable[[int], None] = lambda pictures: None,
) -> Exported:
    """Ask a new batch of questions, or finish one that was asked before.

    Args:
        workspace: where the faces are.
        order: what to export.
        done: is told how many pictures were cut.

    Raises:
        WrongUse: the folder holds something else.
        BrokenMachine: the folder cannot be written.
    """
    found = standing_batch(workspace, order)
    stands = (order.folder / FILES[order.format]).is_file()
    if found is not None and stands:
        return Exported(found, False, False, {})
    run_id = workspace.begin_run("icf-annotate export")
    batch = found
    if batch is None:
        with workspace.catalogue.write() as connection:
            path = batch_path(workspace, order.folder)
            share = workspace.settings.annotate.review_share
            batch = ask(connection, run_id, order.format, path, order.limit, share)
    left_out = _write_folder(workspace, order, batch, done) if batch else {}
    workspace.end_run(run_id)
    asked = batch is not None and found is None
    return Exported(batch, asked, batch is not None, left_out)


def standing_batch(workspace: Workspace, order: Order) -> Batch | None:
    """The batch that was asked under this folder's name before, if one was.

    Raises:
        WrongUse: the folder holds something else, or that batch in another format.
    """
    with workspace.catalogue.read() as connection:
        found = find_batch(connection, batch_path(workspace, order.folder))
    if found is not None and found.format != order.format:
        raise WrongUse(
            f"{order.folder} is the folder of batch {found.id}, whose format is "
            f"{found.format}; name another folder for a batch in {order.format}"
        )
    folder = order.folder
    if folder.exists() and not folder.is_dir():
        raise WrongUse(f"{folder} is a file; name a folder for the batch")
    ours = found is not None and (folder / FILES[order.format]).is_file()
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise WrongUse(
            f"{folder} holds something else already; name a new folder for the batch"
        )
    return found


def _write_folder(
    workspace: Workspace,
    order: Order,
    batch: Batch,
    done: Callable[[int], None],
) -> dict[int, str]:
    with workspace.catalogue.read() as connection:
        questions = read_questions(connection, batch.id)
        faces = {each.face_id for each in questions}
        faces |= {each.reference_face_id for each in questions}
        shown = read_faces(connection, sorted(faces))
    settings = workspace.settings
    cutter = Cutter(
        workspace.blobs, settings.filter.crop_rate, settings.harvest.max_pixels
    )
    try:
        with new_folder(order.folder.resolve()) as folder:
            missing = cutter.cut(shown, folder, done)
            left_out = {
                each.id: missing.get(each.face_id) or missing[each.reference_face_id]
                for each in questions
                if each.face_id in missing or each.reference_face_id in missing
            }
            complete = [each for each in questions if each.id not in left_out]
            _write_files(folder, order, complete)
    except IcfError:
        raise
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the batch {order.folder}: {error}; its questions are in the "
            "catalogue: free some space, and the same command writes the folder"
        ) from error
    return left_out


def _write_files(folder: Path, order: Order, questions: list[Question]) -> None:
    prefix = order.prefix
    if order.format == "label-studio":
        tasks = label_studio.write(questions, prefix)
        (folder / label_studio.FILE).write_bytes(tasks)
        config = folder / label_studio.CONFIG_FILE
        config.write_text(label_studio.CONFIG, encoding="utf-8")
        return
    (folder / question_csv.FILE).write_bytes(question_csv.write(questions, prefix))
    (folder / mturk.FILE).write_bytes(mturk.write(questions, prefix))
