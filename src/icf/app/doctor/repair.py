"""Make what is lost again, until the workspace is as if nothing had happened.

Bytes are fetched again, without asking whether they have changed; embeddings are
computed again from them; crops are cut again; what had been dropped for the damage
goes through the filter again. What people answered is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.annotate.batch import PICTURE_FOLDER
from icf.annotate.export import write_crops
from icf.app.doctor.damage import Damage, check_catalogue, dropped_for_damage
from icf.app.doctor.origins import imported, is_fetched
from icf.catalogue import row_state, tombstones
from icf.catalogue.catalogue import DamagedCatalogue, damaged
from icf.catalogue.ledger import Decision
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import CHUNK, locked
from icf.catalogue.schema import image, url
from icf.codes import FetchStatus, ImageReason, Verdict
from icf.engine.engine import Engine, open_engine
from icf.engine.runner import store_vectors
from icf.engine.stale import find_stale
from icf.engine.step import Step
from icf.errors import WrongUse
from icf.filter.chain import filter_chain
from icf.filter.rethreshold.run import rethreshold
from icf.filter.run import ALL, run_steps
from icf.filter.step_names import DETECT, EMBED
from icf.filter.steps.embed import Embed
from icf.harvest.run import Work, declared_sources, harvest
from icf.models.face_crops import read_boxes
from icf.stores.vectors import MissingVector
from icf.workspace import Workspace

#: Opens a progress bar with a title and a total.
Bar = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]

#: Rounds of deciding again; a second one takes in what the first sent back.
ROUNDS = 4

#: Why detection drops a picture; with damaged bytes each of them means nothing.
_OF_BYTES = tuple(
    each.value
    for each in (
        ImageReason.MISSING_BLOB,
        ImageReason.EMPTY,
        ImageReason.NOT_IMAGE,
        ImageReason.UNSUPPORTED,
        ImageReason.TRUNCATED,
        ImageReason.CORRUPT,
        ImageReason.TOO_LARGE,
        ImageReason.CRASHED,
        ImageReason.HUNG,
    )
)


@dataclass
class Repaired:
    """What was made again, and what could not be.

    Attributes:
        catalogue: faults of its indexes.
        anew: faces whose embedding was by another model than the present one.
        hashes: 1 if their index was made again.
        restored: images and faces that had been dropped.
        damaged: whether anything was damaged.
        lost: SHA-256 of pictures that no source gives any more, by image id.
        imported: SHA-256 of lost pictures that their import stores again, by image id.
        uncut: the crops that cannot be made again.
        stale: whether decisions were not taken again, as settings were edited.
    """

    catalogue: int = 0
    pictures: int = 0
    embeddings: int = 0
    anew: int = 0
    hashes: int = 0
    crops: int = 0
    restored: int = 0
    damaged: bool = False
    lost: dict[int, str] = field(default_factory=dict)
    imported: dict[int, str] = field(default_factory=dict)
    uncut: list[str] = field(default_factory=list)
    stale: bool = False


def repair(workspace: Workspace, damage: Damage, bar: Bar) -> Repaired:
    """Mend damage. If it is interrupted, the next call completes it.

    Args:
        workspace: what to mend.
        damage: as a full look has found it.
        bar: opens a progress bar.

    Raises:
        BrokenMachine: the disk or the database fails.
    """
    done = Repaired(damaged=bool(damage))
    if not damage:
        return done
    run_id = workspace.begin_run("icf doctor --repair")
    left = _fetch_again(workspace, damage.pictures) if damage.pictures else {}
    done.imported = imported(workspace, left)
    done.lost = {key: left[key] for key in left.keys() - done.imported.keys()}
    _make_room(workspace, done.imported.values())
    mended = damage.pictures.keys() - left.keys()
    done.pictures = len(mended)
    done.restored = _restore(workspace, run_id, mended)
    settings = workspace.settings.filter
    opened = open_engine("local", settings.workers, deadline=settings.deadline)
    with closing(opened) as engine:
        for model, ids in damage.faces.items():
            _embed_again(workspace, engine, run_id, model, ids.tolist(), bar, done)
        try:
            # Where nothing was decided on damage, all decisions stand.
            if done.restored or damage.dropped or damage.waiting:
                done.stale = _decide_again(workspace, engine, bar)
            elif damage.hashes or done.anew:
                run_steps(workspace, ALL, engine, bar)
            done.hashes = int(damage.hashes is not None)
        except MissingVector:
            # Faces of lost pictures have none, and wait; the pictures are named.
            if not left:
                raise
    for folder, crops in damage.crops.items():
        _cut_again(workspace, folder, crops, done)
    workspace.end_run(run_id)
    return done


def rebuild_indexes(workspace: Workspace) -> int:
    """Make the indexes of a damaged SQLite catalogue again.

    Returns:
        How many faults it had.

    Raises:
        DamagedCatalogue: rows are damaged, too, or an index cannot be removed.
    """
    try:
        problems = check_catalogue(workspace)
        if problems:
            with workspace.catalogue.write() as connection:
                connection.exec_driver_sql("REINDEX")
            if left := check_catalogue(workspace):
                raise damaged(workspace.catalogue.shown, left[0])
    except DamagedCatalogue as error:
        raise DamagedCatalogue(
            f"{str(error).splitlines()[0]}\n"
            "Copy the workspace before anything else. The indexes cannot be made "
            "again: put a backup of the file in its place, without its -wal and -shm."
        ) from error
    return len(problems)


def _fetch_again(workspace: Workspace, lost: Mapping[int, str]) -> dict[int, str]:
    """Fetch the bytes of pictures again; return those that are still lost.

    URLs that no declared source reads keep their fate.
    """
    try:
        declared_sources(workspace)
    except WrongUse:
        return dict(lost)
    pending = {
        "fate": FetchStatus.PENDING.value,
        "attempts": 0,
        "not_before": 0.0,
        "leased_by": None,
        "leased_until": 0.0,
    }
    fetched = is_fetched(workspace)
    for part in _parts(sorted(lost)):
        with workspace.catalogue.write() as connection:
            of_part = sa.and_(url.c.image_id.in_(part), fetched)
            again = sa.update(url).where(locked(connection, url, of_part))
            connection.execute(again.values(pending))
    harvest(workspace, Work(again=True))
    return {
        key: sha256
        for key, sha256 in lost.items()
        if not workspace.blobs.is_whole(sha256)
    }


def _make_room(workspace: Workspace, lost: Iterable[str]) -> None:
    """Remove bytes that have changed: an import stores only what is not there."""
    for sha256 in lost:
        if not workspace.blobs.is_whole(sha256):
            workspace.blobs.remove(sha256)


def _cut_again(
    workspace: Workspace, folder: Path, crops: Mapping[int, str], done: Repaired
) -> None:
    """Cut the crops of a batch again, less what was withdrawn meanwhile."""
    with workspace.catalogue.read() as connection:
        wanted = crops.keys() - tombstones.withdrawn_faces(connection, crops)
        boxes = read_boxes(connection, wanted)
    (folder / PICTURE_FOLDER).mkdir(exist_ok=True)
    cut = {each.id for each in boxes}
    cut -= write_crops(workspace, folder, boxes).keys()
    done.crops += len(cut)
    done.uncut += [str(folder / crops[key]) for key in sorted(wanted - cut)]


def _restore(workspace: Workspace, run_id: int, mended: Collection[int]) -> int:
    """Let what was dropped for lost or changed bytes go through the filter again."""
    why = "its bytes had been lost or changed, and were fetched again"
    dropped = {(kind, key) for kind, key, _ in dropped_for_damage(workspace)}
    with workspace.catalogue.write() as connection:
        for part in _parts(sorted(mended)):
            query = sa.select(image.c.id).where(
                image.c.id.in_(part),
                image.c.verdict == Verdict.DROPPED.value,
                image.c.reason.in_(_OF_BYTES),
            )
            dropped |= {("image", key) for key in connection.execute(query).scalars()}
        steps = {"image": DETECT, "face": EMBED}
        states = [_waits(kind, key, steps[kind], why) for kind, key in sorted(dropped)]
        row_state.write(connection, run_id, states)
    return len(dropped)


def _waits(subject: str, key: int, step: str, why: str) -> RowState:
    decided = Decision(subject, key, step, Verdict.PENDING.value, "ok", message=why)
    return RowState(decided, step)


def _embed_again(
    workspace: Workspace,
    engine: Engine,
    run_id: int,
    model: str,
    ids: Sequence[int],
    bar: Bar,
    done: Repaired,
) -> None:
    """Compute the embeddings of faces again.

    The faces keep their state. Those by a model that is not the present one cannot be
    made again by it: they wait for the step that embeds.
    """
    step = next(
        each for each in filter_chain(workspace).steps if isinstance(each, Embed)
    )
    if step.card().sha256 != model:
        why = f"its embedding by the model {model[:12]} was lost; that is not in use"
        states = [_waits("face", key, EMBED, why) for key in ids]
        with workspace.catalogue.write() as connection:
            row_state.write(connection, run_id, states)
        done.anew += len(ids)
        return
    with bar("embed", len(ids)) as advance:
        for outcomes in engine.judge(step, _batches(workspace, step, ids)):
            done.embeddings += len(store_vectors(workspace.vectors, outcomes))
            advance(len(outcomes))


def _batches(
    workspace: Workspace, step: Step[Any], ids: Sequence[int]
) -> Iterable[Sequence[Any]]:
    size = workspace.settings.filter.batch
    for start in range(0, len(ids), size):
        with workspace.catalogue.read() as connection:
            items = step.select(connection, ids[start : start + size])
        yield items


def _decide_again(workspace: Workspace, engine: Engine, bar: Bar) -> bool:
    """Run the filter and compare with the thresholds until nothing changes.

    Returns:
        Whether the thresholds were left out, as a person has edited them since.
    """
    for _ in range(ROUNDS):
        run_steps(workspace, ALL, engine, bar)
        with workspace.catalogue.read() as connection:
            stale = find_stale(connection, workspace.settings.filter)
        if stale:
            return True
        done = rethreshold(workspace, bar)
        if not done.waiting and not done.dropped and not done.restored:
            break
    return False


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
