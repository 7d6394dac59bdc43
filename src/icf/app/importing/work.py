"""Import given pictures: read lists, measure, write; again where it ended.

A picture whose address is in the catalogue, and its bytes in the blob store, is known:
a second run reads no file of it that did not change since. Bytes come before rows, and
rows in one transaction a batch, so a killed import has whole batches, and the next one
does the others.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from icf.annotate.answers import is_storable
from icf.app.importing import licences, places
from icf.app.importing.earlier_lists import EarlierLists
from icf.app.importing.given import (
    Fault,
    FilesByStatus,
    GivenFace,
    GivenPicture,
    Publisher,
    Source,
)
from icf.app.importing.known import another, is_another, known_pictures
from icf.app.importing.measure import FOUND_BY, GIVEN, Measure, PictureFile
from icf.app.importing.rows import Entries, MeasuredFace, MeasuredPicture, Written
from icf.app.importing.withdrawn import are_withdrawn, remove_bytes, subjects_of
from icf.app.importing.write import Writer
from icf.catalogue import tombstones
from icf.codes import ImportFault
from icf.engine.engine import Engine
from icf.engine.runner import Chain
from icf.engine.step import NewFace, Outcome
from icf.filter.chain import filter_chain
from icf.filter.restored import discard_ahead
from icf.filter.step_names import DETECT
from icf.filter.steps.detect import Detect
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
        listed: pictures of the source, by part.
        files: what became of each of them.
        written: what is new.
        left_out: what was passed over, by reason, and is no fault.
        faults: lines and pictures that could not be imported.
        lists: which known pictures are from an earlier version of their list.
        lost: pictures imported before whose bytes were not in the store.
    """

    listed: Counter[str] = field(default_factory=Counter)
    files: FilesByStatus = field(default_factory=FilesByStatus)
    written: Written = field(default_factory=Written)
    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    lists: EarlierLists = field(default_factory=EarlierLists)
    lost: int = 0

    def refuse(self, reason: str, fault: Fault) -> None:
        """Note a picture that cannot be imported."""
        self.files.refused[reason] += 1
        self.faults.append(fault)


def preview(workspace: Workspace, source: Source, publisher: Publisher) -> Imported:
    """Count what would be imported; no new picture is read.

    Raises:
        BadInput: the source is not what it should be.
    """
    done = Imported(left_out=source.left_out)
    for each in _new(workspace, source, publisher, done, dry_run=True):
        done.written.pictures[each.part] += 1
        done.files.imported += 1
        done.written.faces += len(each.faces)
        done.written.labels += sum(
            face.owner is not None and face.labelled for face in each.faces
        )
        done.written.verified += each.verified is not None
    return done


def import_pictures(
    workspace: Workspace,
    source: Source,
    publisher: Publisher,
    engine: Engine,
    progress: Progress = lambda pictures: None,
) -> Imported:
    """Bring the pictures of a source into a workspace.

    Args:
        workspace: to write to.
        source: the pictures.
        publisher: who says what they show.
        engine: decodes and measures.
        progress: called with numbers of pictures.

    Raises:
        BadInput: the source is not what it should be.
        BrokenMachine: disk or database fail, run it again; or the blob store has none
            of the workspace's pictures, and the source brings none of them back.
    """
    done = Imported(left_out=source.left_out)
    with workspace.one_at_a_time(LOCK, publisher.command):
        new = _new(workspace, source, publisher, done, progress)
        first = list(itertools.islice(new, 1))  # refused before it counts as a run
        run_id = workspace.begin_run(f"icf {publisher.command}")
        discard_ahead(workspace)
        chain = filter_chain(workspace)
        writer = Writer(run_id, _entries(chain), publisher, written=done.written)
        step = Measure(
            workspace.blobs_url,
            workspace.settings.harvest.max_pixels,
            workspace.settings.filter.hashes,
            _detect(chain),
            _withdrawn_bytes(workspace),
        )
        least = workspace.settings.filter.min_score
        waiting: dict[int, GivenPicture] = {}
        batches = _batches(workspace, itertools.chain(first, new), waiting)
        for outcomes in engine.judge(step, batches):
            refused: list[tuple[GivenPicture, str, str]] = []
            measured = list(_measured(outcomes, waiting, done, least, refused))
            with workspace.catalogue.write() as connection:
                writer.write(connection, measured)
                places.refuse(connection, refused)
            progress(len(outcomes))
        # Not before: other pictures of the import may have the same bytes.
        remove_bytes(workspace, writer.left_out)
        workspace.end_run(run_id)
    done.files.imported = done.written.pictures.total()
    done.files.withdrawn = done.written.withdrawn
    return done


def _detect(chain: Chain) -> Detect | None:
    return next((each for each in chain.steps if isinstance(each, Detect)), None)


def _withdrawn_bytes(workspace: Workspace) -> frozenset[str]:
    with workspace.catalogue.read() as connection:
        return tombstones.all_of_kind(connection, tombstones.SHA256)


def _entries(chain: Chain) -> Entries:
    """Where pictures whose faces are known enter the chain."""
    names = [step.name for step in chain.steps]
    detect = chain.steps[names.index(DETECT)]
    later = chain.later(detect)
    return Entries(DETECT, later[0] if later else None, chain.first("face"))


def _new(
    workspace: Workspace,
    source: Source,
    publisher: Publisher,
    done: Imported,
    progress: Progress = lambda pictures: None,
    *,
    dry_run: bool = False,
) -> Iterator[GivenPicture]:
    """Yield what is not imported yet; count the rest, and correct its licences."""
    is_first = True
    for page in _pages(_without_faults(source, done), _PAGE):
        known = known_pictures(workspace, [each.url for each in page])
        # Where all pictures are lost, importing them again brings them back.
        if is_first and all(old.is_whole for old in known.values()):
            workspace.check_blobs()
        is_first = False
        new, same = [], []
        for each in page:
            old = known.get(each.url)
            if old is not None and is_another(each, old):
                done.refuse(ImportFault.ANOTHER_PICTURE.value, another(each))
            elif old is None or not old.is_whole:
                done.lost += old is not None
                new.append(each)
            else:
                same.append(each)
                progress(1)
        done.files.known += len(same)
        done.written.licences += licences.correct(
            workspace, same, publisher.licence, dry_run=dry_run
        )
        done.lists.compare(workspace, publisher.name, same)
        yield from new


def _without_faults(source: Source, done: Imported) -> Iterator[GivenPicture]:
    for each in map(_checked, source.pictures()):
        if isinstance(each, GivenPicture):
            done.listed[each.part] += 1
            done.files.found += 1
            yield each
        elif each.is_picture:
            done.files.found += 1
            done.refuse(ImportFault.UNREADABLE.value, each)
        else:
            done.faults.append(each)


def _checked(each: GivenPicture | Fault) -> GivenPicture | Fault:
    """Refuse a picture of which a text cannot be stored, before it stops all others."""
    if isinstance(each, Fault):
        return each
    texts = [each.part, each.url, each.origin()]
    texts += [each.licence or "", each.licence_url or "", each.author]
    for owner in each.owners:
        texts += [owner.album, owner.character]
    for place in each.places:
        texts += [place.url, place.page, place.licence, place.licence_url, place.author]
    wrong = next((text for text in texts if not is_storable(text)), None)
    if wrong is None:
        return each
    why = f"a zero byte or no Unicode in {wrong!r:.80}"
    return Fault(each.where, why, is_picture=True)


def _batches(
    workspace: Workspace,
    new: Iterable[GivenPicture],
    waiting: dict[int, GivenPicture],
) -> Iterator[list[PictureFile]]:
    """Number the pictures; ``waiting`` has each until its outcome is there."""
    number = 0
    for page in _pages(new, BATCH):
        items = []
        with workspace.catalogue.read() as connection:
            gone = are_withdrawn(connection, [subjects_of(each) for each in page])
        for each, is_gone in zip(page, gone, strict=True):
            number += 1
            waiting[number] = each
            looked_for = each.filed is not None and not each.faces
            items.append(
                PictureFile(
                    number, each.file, each.faces, each.stated, looked_for, is_gone
                )
            )
        yield items


def _measured(
    outcomes: Iterable[Outcome],
    waiting: dict[int, GivenPicture],
    done: Imported,
    least: float,
    refused: list[tuple[GivenPicture, str, str]],
) -> Iterator[MeasuredPicture]:
    for each in outcomes:
        given = waiting.pop(each.id)
        if not each.passed:
            why = each.message or each.reason
            fault = Fault(given.where, f"{given.file}: {why}", is_picture=True)
            done.refuse(each.reason, fault)
            refused.append((given, each.reason, why))
            continue
        columns: dict[str, Any] = dict(each.columns)
        given_at = columns.pop(GIVEN)
        found_by = columns.pop(FOUND_BY)
        if found_by is None:
            outside = len(given.faces) - len(each.faces)
            if outside:
                done.left_out["a box outside its picture"] += outside
            some = [given.faces[place] for place in given_at]
        else:
            some = _as_found(given, each.faces, str(found_by), least, done.left_out)
        faces = zip(each.faces, some, strict=True)
        measured = tuple(MeasuredFace(new, face) for new, face in faces)
        yield MeasuredPicture(given, columns, measured)


def _as_found(
    picture: GivenPicture,
    faces: Sequence[NewFace],
    found_by: str,
    least: float,
    left_out: Counter[str],
) -> list[GivenFace]:
    """Say of found faces that the one sure drawn face is the picture's character."""
    sure = [each.kind == "cartoon" and each.score >= least for each in faces]
    alone = sum(sure) == 1
    if not alone:
        left_out[f"a picture with {'several faces' if any(sure) else 'no face'}"] += 1
    owner = picture.filed
    return [
        GivenFace(
            each.box,
            picture.line,
            owner,
            "human" if each.kind == "human" else "cartoon",
            labelled=alone and is_sure,
            found_by=found_by,
            score=each.score,
        )
        for each, is_sure in zip(faces, sure, strict=True)
    ]


def _pages(pictures: Iterable[GivenPicture], size: int) -> Iterator[list[GivenPicture]]:
    left = iter(pictures)
    while page := list(itertools.islice(left, size)):
        yield page
