"""A workspace with real pictures, as harvest leaves it: those of the demo's site."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf import workspace
from icf.app.demo.site.archive import SiteArchive, shipped_tar
from icf.app.demo.site.truth import Noise, TrueFile, load_truth
from icf.catalogue.candidates import file_under
from icf.catalogue.schema import album, candidate, character, decision, face, image
from icf.engine.local import LocalEngine
from icf.engine.runner import Progress, Tally
from icf.filter.chain import filter_chain
from icf.filter.run import run_steps
from icf.filter.step_range import Chosen
from icf.workspace import Workspace


def site_files(characters: int) -> list[TrueFile]:
    """The files of the site's first characters that a harvest brings home."""
    truth = load_truth()
    wanted = {each.name for each in truth.characters[:characters]}
    away = {Noise.DEAD, Noise.MISSING, Noise.DISALLOWED, Noise.OPTED_OUT, Noise.SLOW}
    return [
        file
        for file in truth.files
        if file.noise not in away and wanted.intersection(file.filed_under)
    ]


@functools.cache
def _site() -> SiteArchive:
    return SiteArchive(shipped_tar())


def read_file(file: TrueFile) -> bytes:
    """The bytes of one file of the site."""
    return _site().read(f"images/{file.name}")


def make_workspace(root: Path, files: Sequence[TrueFile]) -> Workspace:
    """Make a workspace whose images wait for their first step."""
    made = workspace.init(root)
    add_files(made, files)
    return made


def add_files(made: Workspace, files: Sequence[TrueFile]) -> None:
    """Store files, and file them under their characters."""
    truth = load_truth()
    under = {name for file in files for name in file.filed_under}
    people = [each for each in truth.characters if each.name in under]
    with made.catalogue.write() as connection:
        ids = {}
        for person in people:
            album_id = _once(connection, album, name=person.album, source="t")
            ids[person.name] = _once(
                connection, character, album_id=album_id, name=person.name, source="t"
            )
        leads = {person.reference: person.name for person in people}
        filed: dict[tuple[int, int], bool] = {}
        for file in files:
            image_id = _add_image(made, connection, read_file(file))
            for name in file.filed_under:
                key = (image_id, ids[name])
                filed[key] = filed.get(key, False) or leads.get(file.name) == name
        rows = [
            {"image_id": image_id, "character_id": character_id, "is_lead": lead}
            for (image_id, character_id), lead in filed.items()
        ]
        file_under(connection, candidate, rows)


def _once(connection: sa.Connection, table: sa.Table, **values: Any) -> int:
    where = [table.c[name] == value for name, value in values.items()]
    found = connection.execute(sa.select(table.c.id).where(*where)).scalar()
    if found is None:
        insert = sa.insert(table).values(found_at=0.0, **values)
        found = connection.execute(insert.returning(table.c.id)).scalar_one()
    return int(found)


def _add_image(made: Workspace, connection: sa.Connection, data: bytes) -> int:
    sha256 = made.blobs.put(data)
    known = sa.select(image.c.id).where(image.c.sha256 == sha256)
    found = connection.execute(known).scalar()
    if found is None:
        insert = sa.insert(image).values(
            sha256=sha256,
            bytes=len(data),
            awaits="detect",
            verdict="pending",
            reason="ok",
            stored_at=0.0,
        )
        found = connection.execute(insert.returning(image.c.id)).scalar_one()
    return int(found)


@contextmanager
def no_bar(title: str, total: int) -> Iterator[Progress]:
    """No progress bar."""
    yield lambda settled: None


def run_filter(made: Workspace, *names: str) -> list[Tally]:
    """Run the filter on the local engine."""
    return run_steps(made, Chosen(names), _engine(), no_bar)


@functools.cache
def _engine() -> LocalEngine:
    """One engine for all tests: its processes open the models once."""
    made = LocalEngine(2)
    atexit.register(made.close)
    return made


def run_before(made: Workspace, step: str) -> None:
    """Run every step that comes before ``step`` in the chain."""
    known = [each.name for each in filter_chain(made).steps]
    run_filter(made, *known[: known.index(step)])


def rows(made: Workspace, query: sa.Select[Any]) -> list[Any]:
    """Read rows as plain tuples."""
    with made.catalogue.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def outcome_of(made: Workspace) -> dict[str, list[Any]]:
    """Everything a run leaves that must not depend on how it was run.

    Faces are named by their picture and box, because ids depend on the order in which
    they were found.
    """
    name_of = {
        row[0]: row[1:]
        for row in rows(
            made,
            sa.select(face.c.id, image.c.sha256, face.c.x1, face.c.y1, face.c.x2).join(
                image, image.c.id == face.c.image_id
            ),
        )
    }
    sha_of = dict(rows(made, sa.select(image.c.id, image.c.sha256)))
    plain = [
        c for c in face.c if c.name not in ("id", "image_id", "keeper_id", "found_at")
    ]
    faces = [
        (name_of[row[0]], name_of.get(row[1]), *row[2:])
        for row in rows(made, sa.select(face.c.id, face.c.keeper_id, *plain))
    ]
    taken = [
        c
        for c in decision.c
        if c.name not in ("id", "subject_id", "run_id", "decided_at")
    ]
    decisions = [
        (name_of[row[1]] if row[0] == "face" else sha_of[row[1]], *row[2:])
        for row in rows(
            made, sa.select(decision.c.subject, decision.c.subject_id, *taken)
        )
    ]
    images = rows(
        made, sa.select(*[c for c in image.c if c.name not in ("id", "stored_at")])
    )
    references = [
        (name, name_of.get(face_id), by)
        for name, face_id, by in rows(
            made,
            sa.select(
                character.c.name,
                character.c.reference_face_id,
                character.c.reference_by,
            ),
        )
    ]
    return {
        "faces": sorted(faces, key=repr),
        "decisions": sorted(decisions, key=repr),
        "images": sorted(images, key=repr),
        "references": sorted(references, key=repr),
    }
