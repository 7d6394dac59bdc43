"""Import the published iCartoonFace: read lists, measure, write; again where it ended.

A picture whose address is in the catalogue, and its bytes in the blob store, is known:
a second run reads no file of it. Bytes come before rows, and rows in one transaction a
batch, so a killed import has whole batches, and the next one does the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from icf.app.import_icartoonface.listed import Fault, ListedPicture, Lists, TestLabels
from icf.app.import_icartoonface.measure import STEP, GivenPicture, Measure
from icf.app.import_icartoonface.rows import Entries, MeasuredPicture, Written
from icf.app.import_icartoonface.write import Writer
from icf.catalogue.bulk_insert import among
from icf.catalogue.schema import image, url
from icf.codes import FetchStatus
from icf.engine.engine import Engine
from icf.engine.runner import Chain
from icf.engine.step import Outcome
from icf.filter.chain import filter_chain
from icf.filter.step_names import DETECT
from icf.stores.lock import one_at_a_time
from icf.workspace import Workspace

#: In a workspace's folder: held while pictures are imported.
LOCK = "import.lock"
#: Pictures that are measured by one process at a time, and a transaction.
BATCH = 64
#: Pictures whose addresses are looked for at a time.
_PAGE = 4096

#: Called with how many pictures were settled.
Progress = Callable[[int], None]


@dataclass
class Imported:
    """What an import did, or would do.

    Attributes:
        listed: pictures of the lists, by part.
        known: those that were imported before.
        written: what is new.
        left_out: what was passed over, by reason, and is no fault.
        faults: lines and pictures that could not be imported.
    """

    listed: Counter[str] = field(default_factory=Counter)
    known: int = 0
    written: Written = field(default_factory=Written)
    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)


def preview(workspace: Workspace, folder: Path, test_labels: TestLabels) -> Imported:
    """Count what would be imported; no picture is read.

    Raises:
        BadInput: the folder has no published list, or a list without its pictures.
    """
    lists = Lists(folder, test_labels)
    done = Imported(left_out=lists.left_out)
    for each in _new(workspace, lists, done, lambda pictures: None):
        done.written.pictures[each.part] += 1
        done.written.faces += len(each.boxes)
        done.written.labels += len(each.boxes) if each.character else 0
    return done


def import_icartoonface(
    workspace: Workspace,
    folder: Path,
    test_labels: TestLabels,
    licence: str,
    engine: Engine,
    progress: Progress = lambda pictures: None,
) -> Imported:
    """Bring the published files below a folder into a workspace.

    Args:
        workspace: to write to.
        folder: has the published lists and folders, or some of them.
        test_labels: what the numbers of the test are.
        licence: of the pictures.
        engine: decodes and measures.
        progress: called with numbers of pictures.

    Raises:
        BadInput: the folder has no published list, or a list without its pictures.
        BrokenMachine: disk or database fail; run it again.
    """
    lists = Lists(folder, test_labels)
    done = Imported(left_out=lists.left_out)
    with one_at_a_time(workspace.root / LOCK, STEP):
        run_id = workspace.begin_run("icf import icartoonface")
        writer = Writer(run_id, _entries(filter_chain(workspace)), licence)
        done.written = writer.written
        step = Measure(
            workspace.blobs_url,
            workspace.settings.harvest.max_pixels,
            workspace.settings.filter.hashes,
        )
        waiting: dict[int, ListedPicture] = {}
        new = _new(workspace, lists, done, progress)
        for outcomes in engine.judge(step, _batches(new, waiting)):
            measured = list(_measured(outcomes, waiting, done))
            with workspace.catalogue.write() as connection:
                writer.write(connection, measured)
            progress(len(outcomes))
        workspace.end_run(run_id)
    return done


def _entries(chain: Chain) -> Entries:
    """Where pictures whose faces are known enter the chain."""
    names = [step.name for step in chain.steps]
    detect = chain.steps[names.index(DETECT)]
    later = chain.later(detect)
    return Entries(DETECT, later[0] if later else None, chain.first("face"))


def _new(
    workspace: Workspace, lists: Lists, done: Imported, progress: Progress
) -> Iterator[ListedPicture]:
    """Yield what is not imported yet; count the rest."""
    for page in _pages(_without_faults(lists, done), _PAGE):
        known = _known(workspace, [each.url for each in page])
        done.known += len(known)
        progress(len(known))
        for each in page:
            if each.url not in known:
                yield each


def _without_faults(lists: Lists, done: Imported) -> Iterator[ListedPicture]:
    for each in lists.pictures():
        if isinstance(each, Fault):
            done.faults.append(each)
        else:
            done.listed[each.part] += 1
            yield each


def _known(workspace: Workspace, urls: Sequence[str]) -> set[str]:
    """Those addresses whose picture is in the catalogue, and its bytes in the store."""
    with workspace.catalogue.read() as connection:
        query = (
            sa.select(url.c.url, image.c.sha256)
            .join(image, image.c.id == url.c.image_id)
            .where(
                among(connection, url.c.url, urls),
                url.c.fate == FetchStatus.STORED.value,
            )
        )
        rows = connection.execute(query).all()
    return {row.url for row in rows if workspace.blobs.has(row.sha256)}


def _batches(
    new: Iterable[ListedPicture], waiting: dict[int, ListedPicture]
) -> Iterator[list[GivenPicture]]:
    """Number the pictures; ``waiting`` has each until its outcome is there."""
    number = 0
    for page in _pages(new, BATCH):
        items = []
        for each in page:
            number += 1
            waiting[number] = each
            boxes = tuple(given.box for given in each.boxes)
            items.append(GivenPicture(number, each.file, boxes))
        yield items


def _measured(
    outcomes: Iterable[Outcome], waiting: dict[int, ListedPicture], done: Imported
) -> Iterator[MeasuredPicture]:
    for each in outcomes:
        listed = waiting.pop(each.id)
        if not each.passed:
            why = each.message or each.reason
            done.faults.append(Fault(listed.where, f"{listed.file}: {why}"))
            continue
        outside = len(listed.boxes) - len(each.faces)
        if outside:
            done.left_out["a box outside its picture"] += outside
        yield MeasuredPicture(listed, each.columns, each.faces)


def _pages(
    pictures: Iterable[ListedPicture], size: int
) -> Iterator[list[ListedPicture]]:
    left = iter(pictures)
    while page := list(islice(left, size)):
        yield page
